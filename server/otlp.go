package server

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"google.golang.org/protobuf/encoding/protowire"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// maxBatch is the most bytes that one OTLP request may have, unpacked. SDKs send
// some hundred kilobytes, and collectors a few megabytes.
const maxBatch = 64 << 20

// retryAfter is when a sender that was turned away may come again.
const retryAfter = 2 * time.Second

// The media types of OTLP/HTTP.
const (
	protobufType = "application/x-protobuf"
	otlpJSONType = "application/json"
)

// otlpTraces and otlpMetrics take what an OTLP exporter posts (OTLP/HTTP).
func (s *Server) otlpTraces(c echo.Context) error  { return s.otlp(c, enrich.Traces) }
func (s *Server) otlpMetrics(c echo.Context) error { return s.otlp(c, enrich.Metrics) }

// otlp stores a batch before it says that it has it, and answers in the encoding
// that it came in, errors too.
func (s *Server) otlp(c echo.Context, dataset string) error {
	encoding, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || encoding != protobufType && encoding != otlpJSONType {
		return otlpRefusal(c, otlpJSONType, &refusal{http.StatusUnsupportedMediaType, "not_otlp", "This is not OTLP",
			"Batches are sent as " + protobufType + " or " + otlpJSONType + "."})
	}
	body, err := s.otlpBody(c)
	if err != nil {
		return otlpRefusal(c, encoding, err)
	}
	warnings, err := s.ingester.Receive(dataset, body)
	if err != nil {
		return otlpRefusal(c, encoding, err)
	}
	return c.Blob(http.StatusOK, encoding, exportResponse(encoding, warnings))
}

// otlpBody reads the body of a request, unpacked.
func (s *Server) otlpBody(c echo.Context) ([]byte, error) {
	limit := min(maxBatch, s.MaxUpload)
	var body io.Reader = http.MaxBytesReader(c.Response(), c.Request().Body, limit)
	switch packing := strings.ToLower(c.Request().Header.Get(echo.HeaderContentEncoding)); packing {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, badBatch("damaged gzip data: %v", err)
		}
		body = io.LimitReader(unpacked, limit+1)
	default:
		return nil, &refusal{http.StatusUnsupportedMediaType, "not_otlp", "The batch is packed in an unknown way",
			fmt.Sprintf("Content-Encoding is %q; gzip and identity are read.", packing)}
	}
	text, err := io.ReadAll(body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || int64(len(text)) > limit {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "too_large", "The batch is too large",
			fmt.Sprintf("One batch may have %d bytes, unpacked. Set the exporter's batch size lower.", limit)}
	}
	if err != nil {
		return nil, badBatch("reading: %v", err)
	}
	return text, nil
}

func badBatch(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, "bad_batch", "The batch cannot be read", fmt.Sprintf(format, args...)}
}

// errBusy says that batches come faster than they are stored.
var errBusy = &refusal{http.StatusServiceUnavailable, "busy", "The server is busy", "Batches come faster than they can be stored. Send this one again."}

// exportResponse encodes an Export…ServiceResponse: empty if all was taken as it
// is, else with what was left out or mended as a warning.
func exportResponse(encoding string, warnings []enrich.Warning) []byte {
	var message string
	if len(warnings) > 0 {
		message = warnings[0].Where + ": " + warnings[0].Message
		if more := len(warnings) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more)", more)
		}
	}
	if encoding == otlpJSONType {
		if message == "" {
			return []byte("{}")
		}
		return append(attr.AppendQuoted([]byte(`{"partialSuccess":{"errorMessage":`), message), "}}"...)
	}
	if message == "" {
		return nil
	}
	partial := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), message)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial)
}

// otlpRefusal answers an error with a google.rpc.Status. What a sender should
// send again says when.
func otlpRefusal(c echo.Context, encoding string, err error) error {
	r := refusalOf(err)
	if r == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(retryAfter.Seconds())))
	}
	const invalidArgument, unavailable = 3, 14
	code := invalidArgument
	if r.status >= http.StatusInternalServerError {
		code = unavailable
	}
	message := r.title + ": " + r.message
	if encoding == otlpJSONType {
		text := attr.AppendQuoted(fmt.Appendf(nil, `{"code":%d,"message":`, code), message)
		return c.Blob(r.status, otlpJSONType, append(text, '}'))
	}
	status := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	return c.Blob(r.status, protobufType, protowire.AppendString(protowire.AppendTag(status, 2, protowire.BytesType), message))
}
