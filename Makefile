# `make run` serves smolscope on http://127.0.0.1:8080; `make test` runs every test.
# The other targets are for working on it: CONTRIBUTING.md says when.

staticcheck := go tool -modfile=tools/go.mod staticcheck
benchstat   := go tool -modfile=tools/go.mod benchstat
wasm_exec   := $(shell go env GOROOT)/lib/wasm/go_js_wasm_exec
pure        := ./enrich/... ./views/...
generated   := ':(glob)**/*_templ.go' docs/fields.md docs/formats.md
goldens      = $(addprefix ./,$(sort $(dir $(shell grep -rl --include='*_test.go' 'flag.Bool."update"' cmd enrich server views))))

.PHONY: run demo dev build assets generate prices test unit race wasm-test browser-test chromium check update fuzz bench bench-otlp bench-sse clean

run: build
	bin/smolscope serve

demo: build
	bin/smolscope serve --demo

# Rebuilds on save and reloads the browser; static files are served from disk.
dev: assets
	go tool templ generate --watch --proxy=http://127.0.0.1:8080 --cmd="go run ./cmd/smolscope serve --dev"

build: assets
	go build -o bin/smolscope ./cmd/smolscope

assets: static/dist/echarts.js static/dist/wasm.js

static/dist/echarts.js: static/assets/echarts.js static/assets/morph.js static/assets/build.js node_modules/.package-lock.json
	node static/assets/build.js

# The dashboard for the browser, and the one that reads Parquet too.
static/dist/wasm.js: static/assets/wasm.js $(wildcard static/js/*.js static/css/*.css) go.mod $(shell find enrich views web \( -name '*.go' -o -name '*.tsv' -o -name '*.json' -o -name '*.csv' \) ! -name '*_test.go' ! -path '*/testdata/*')
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o static/dist/preview.wasm ./web
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -tags parquet,purego -o static/dist/parquet.wasm ./web
	cp "$$(go env GOROOT)/lib/wasm/wasm_exec.js" static/dist/wasm_exec.js
	node static/assets/wasm.js

node_modules/.package-lock.json: package.json package-lock.json
	npm ci

generate:
	go tool templ generate
	go test ./enrich -run Docs -update

# Turns the prices of the npm package that is pinned into the list that is built in.
prices: node_modules/.package-lock.json
	node enrich/price/generate.js

# The tests end with the browser's, the slowest. The others run once, with the race detector.
test: assets race wasm-test browser-test

unit:
	go test ./...

race:
	go test -race ./...

wasm-test:
	GOOS=js GOARCH=wasm go test -exec=$(wasm_exec) $(pure)

browser-test: build chromium server/browsertest/clients/node_modules/.package-lock.json
	cd server/browsertest && go vet ./... && SMOLSCOPE_BIN=$(CURDIR)/bin/smolscope go test -count=1 ./...

server/browsertest/clients/node_modules/.package-lock.json: server/browsertest/clients/package.json server/browsertest/clients/package-lock.json
	cd server/browsertest/clients && npm ci

chromium:
	command -v chromium || { apt-get update && apt-get install -y --no-install-recommends chromium fonts-liberation; }

# What CI checks before the tests, fastest first.
check:
	test -z "$$(gofmt -l *.go cmd enrich gpu server static views | tee /dev/stderr)"
	go tool templ fmt -fail .
	$(MAKE) generate && git diff --exit-code -- $(generated)
	go mod tidy -diff && cd tools && go mod tidy -diff && cd ../server/browsertest && go mod tidy -diff
	go vet ./... && $(staticcheck) ./... && go fix -diff ./...
	CGO_ENABLED=0 go build -o /dev/null ./...
	GOOS=js GOARCH=wasm go build -o /dev/null $(pure)

# Rewrites the golden files; read the difference before you commit it.
update:
	go test $(goldens) -update && git diff --stat

fuzz:
	for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s $$p || exit 1; done; done

# Keep bench.txt of the commit before as old.txt to compare with it.
bench:
	go test -run '^$$' -bench . -benchmem -count 10 ./... | tee bench.txt
	test ! -e old.txt || $(benchstat) old.txt bench.txt

# How fast OTLP is taken: protobuf and JSON, of one run and of twenty.
bench-otlp: build
	go run ./server/otlpload && go run ./server/otlpload -runs 20
	go run ./server/otlpload -json && go run ./server/otlpload -json -runs 20

# 500 followers of readings at 1 Hz, for a minute.
bench-sse: build
	go run ./server/sseload

clean:
	rm -rf bin node_modules server/browsertest/clients/node_modules bench.txt && find static/dist -type f ! -name .gitkeep -delete
