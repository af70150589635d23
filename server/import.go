package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"smolscope/enrich"
)

// importTime is how long an import from the Hub may take.
const importTime = 15 * time.Minute

// importDataset takes the files of a dataset of the Hub, which a form names. The
// Hub, and no other address, is what this server asks on somebody's behalf.
func (s *Server) importDataset(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, 4<<10)
	dataset, err := s.Hub.Dataset(r.PostFormValue("dataset"))
	if err != nil {
		return &refusal{http.StatusBadRequest, "bad_dataset", "This is not the name of a dataset", "It must be such as OWNER/NAME: " + err.Error() + "."}
	}
	ctx, cancel := context.WithTimeout(r.Context(), importTime)
	defer cancel()
	var refused []enrich.File
	var size int64
	datasets := &Datasets{
		Hub: s.Hub, Limits: s.Limits,
		Refused: func(f enrich.File) { refused = append(refused, f) },
		Listed: func(_ string, _ int, bytes int64) error {
			if size += bytes; size > s.MaxUpload {
				return &refusal{http.StatusRequestEntityTooLarge, "too_large", "The dataset is too large",
					fmt.Sprintf("It has more than the %d bytes that one import may have. Start smolscope with a larger --max-upload.", s.MaxUpload)}
			}
			return nil
		},
	}
	receipt, err := s.ingester.Ingest(ctx, datasets.Files(ctx, dataset))
	if errors.Is(err, context.DeadlineExceeded) {
		return &refusal{http.StatusGatewayTimeout, "hub_slow", "The Hub took too long",
			fmt.Sprintf("Not all of %s arrived within %s, so nothing was stored. Try again, or import it with smolscope import hf://datasets/%s.", dataset, importTime, dataset)}
	}
	if err != nil {
		return err
	}
	receipt.Files = append(receipt.Files, refused...)
	return s.answerReceipt(c, receipt)
}
