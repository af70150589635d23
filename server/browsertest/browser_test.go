// Package browsertest drives the built program as a person does: real files are
// dropped on real pages in Chromium. It is a module of its own, so that driving a
// browser is no dependency of the program.
package browsertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// program is the file that the tests start: $SMOLSCOPE_BIN, or one built here.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if program = os.Getenv("SMOLSCOPE_BIN"); program == "" {
			dir, err := os.MkdirTemp("", "smolscope")
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			defer os.RemoveAll(dir)
			program = filepath.Join(dir, "smolscope")
			build := exec.Command("go", "build", "-o", program, "./cmd/smolscope")
			build.Dir = filepath.Join("..", "..")
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
				return 1
			}
		}
		return m.Run()
	}())
}

// serve starts the program on a free port with a database of its own and these flags, and
// returns its address once it listens.
func serve(t *testing.T, flags ...string) string {
	t.Helper()
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--db", filepath.Join(t.TempDir(), "smolscope.db")}, flags...)
	cmd := exec.Command(program, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	var log strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&log, lines.Text())
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			rest := make(chan struct{})
			go func() { io.Copy(io.Discard, stderr); close(rest) }()
			t.Cleanup(func() {
				cmd.Process.Signal(syscall.SIGTERM)
				<-rest
				if err := cmd.Wait(); err != nil {
					t.Errorf("smolscope serve ended with %v, want status 0", err)
				}
			})
			return "http://" + found[1]
		}
	}
	t.Fatalf("smolscope serve ended with %v before it named its address:\n%s", cmd.Wait(), log.String())
	return ""
}

var listens = regexp.MustCompile(`\baddr=(127\.0\.0\.1:\d+)`)

// A tab is a page of Chromium. Whatever its console says about scripts, the
// network or the content security policy fails the test.
type tab struct {
	*testing.T
	ctx  context.Context
	base string         // the program's address
	done sync.WaitGroup // of the reader of the console
}

// patience is how long a page may take for anything: a test never waits that
// long unless it is about to fail.
const patience = 30 * time.Second

// open starts a browser on the program.
func open(t *testing.T, base string) *tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the browser tests need Chromium: %v", err)
		}
		t.Skipf("needs Chromium (make test installs it where it can): %v", err)
	}
	allocator, stopBrowser := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		chromedp.ExecPath(chromium), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	ctx, closeTab := chromedp.NewContext(allocator)
	p := &tab{T: t, ctx: ctx, base: base}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the page at the end:\n%s", p.text())
		}
		closeTab()
		p.done.Wait()
		stopBrowser()
	})
	messages := chromedp.Console(ctx)
	p.done.Go(func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			if kind := string(message.Type); kind == "error" || kind == "warning" || message.IsException() {
				t.Errorf("the console says: %s", message)
			}
		}
	})
	return p
}

// another opens a tab more in the same browser.
func (p *tab) another() *tab {
	p.Helper()
	ctx, closeTab := chromedp.NewContext(p.ctx)
	p.Cleanup(closeTab)
	// The context of the first step is the tab's: it must not end with the step.
	if err := chromedp.Do(ctx); err != nil {
		p.Fatalf("open a tab: %v", err)
	}
	return &tab{T: p.T, ctx: ctx, base: p.base}
}

// do runs a step, and ends the test if it fails or takes too long.
func (p *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatalf("%s: %v", what, err)
	}
}

func (p *tab) call(what string, f func(context.Context, *chromedp.Target) error) {
	p.Helper()
	p.do(what, chromedp.Func(f))
}

// eval returns what an expression comes to in the page.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// visit opens a path of the program and returns the status of the answer.
func (p *tab) visit(path string) int64 {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Navigate(p.base+path))
	if err != nil {
		p.Fatalf("open %s: %v", path, err)
	}
	return response.Status
}

// follow clicks the first visible element that a selector finds and waits for
// the page behind it.
func (p *tab) follow(selector string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	if err != nil {
		p.Fatalf("click %s: %v", selector, err)
	}
	if response.Status != 200 {
		p.Fatalf("%s leads to %s, which answers %d", selector, response.URL, response.Status)
	}
}

// text returns what a reader sees of the page: each run of white space as one
// space, and without the commas between thousands.
func (p *tab) text() string {
	p.Helper()
	return strings.ReplaceAll(strings.Join(strings.Fields(eval[string](p, `document.body.innerText`)), " "), ",", "")
}

// sees ends the test unless the page shows each text.
func (p *tab) sees(texts ...string) {
	p.Helper()
	shown := p.text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			p.Errorf("%s does not show %q", eval[string](p, `location.pathname`), text)
		}
	}
}

// awaits waits until an expression holds, on this page or on one that it leads to.
func (p *tab) awaits(expression string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](`!!(`+expression+`)`))
		if err == nil {
			return
		}
		if ctx.Err() != nil { // any other error is a page that went away under the question
			p.Fatalf("%s did not come true", expression)
		}
	}
}

// upload drops files or folders where drops are uploaded at once.
func (p *tab) upload(paths ...string) {
	p.Helper()
	eval[bool](p, `localStorage.setItem("smolscope-upload", "at once") ?? true`)
	p.drop(paths...)
}

// drop drops files or folders on the middle of the page, as a file manager does.
func (p *tab) drop(paths ...string) {
	p.Helper()
	p.call("drop "+strings.Join(paths, ", "), func(ctx context.Context, target *chromedp.Target) error {
		for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
			_, err := cdp.Call(ctx, target, input.DispatchDragEvent, input.DispatchDragEventParams{
				Type: kind, X: 300, Y: 300, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}})
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
		}
		return nil
	})
}

// resize gives the window a width, and the person a preference for dark or light.
func (p *tab) resize(width, height int64, scheme string) {
	p.Helper()
	p.do("resize", chromedp.EmulateViewport(width, height))
	p.call("prefer "+scheme, func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// shoot saves a picture of the page to $SMOLSCOPE_SHOTS, if that is set.
func (p *tab) shoot(name string) {
	p.Helper()
	dir := os.Getenv("SMOLSCOPE_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatalf("screenshot %s: %v", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		p.Fatal(err)
	}
}
