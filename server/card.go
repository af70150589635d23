package server

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"smolscope/enrich"
	"smolscope/enrich/unit"
	"smolscope/server/store"
)

// The size that sites expect of a picture beside a link, in pixels.
const cardWidth, cardHeight = 1200, 630

var (
	cardInk   = color.RGBA{0x1b, 0x1f, 0x2a, 0xff}
	cardMuted = color.RGBA{0x5a, 0x62, 0x75, 0xff}
	cardLine  = color.RGBA{0xd9, 0xdd, 0xe6, 0xff}
	cardGood  = color.RGBA{0x12, 0x8a, 0x63, 0xff}
	cardPaper = color.RGBA{0xfa, 0xfb, 0xfd, 0xff}
)

// shareCard draws what stands for a shared run beside a link to it: its model, its
// success and what it took. Names and other text of the run are not in it, but
// for the model's name, which is masked as on the page.
func (s *Server) shareCard(c echo.Context) error {
	var row enrich.LeaderboardRow
	err := s.Store.Read(c.Request().Context(), func(v *store.Snapshot) (err error) {
		row, err = runOf(c, masked(c, v))
		return err
	})
	if err != nil {
		return err
	}
	picture, err := cardOf(row)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/png", picture)
}

// cardOf draws the picture, as PNG.
func cardOf(row enrich.LeaderboardRow) ([]byte, error) {
	canvas := image.NewRGBA(image.Rect(0, 0, cardWidth, cardHeight))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(cardPaper), image.Point{}, draw.Src)
	p := painter{canvas: canvas}
	const left, right = 72, cardWidth - 72
	p.text(goregular.TTF, 30, left, 92, cardMuted, "smolscope · agent evaluation", right-left)
	p.text(gobold.TTF, 62, left, 188, cardInk, orDash(row.Model), right-left)
	p.text(gobold.TTF, 132, left, 362, cardInk, unit.Percent(row.SuccessRate), 620)
	p.text(goregular.TTF, 30, left, 412, cardMuted, successIn(row), 620)
	if row.SuccessRate != nil {
		bar := image.Rect(left, 448, right, 462)
		draw.Draw(canvas, bar, image.NewUniform(cardLine), image.Point{}, draw.Src)
		bar.Max.X = left + int(float64(right-left)*min(max(*row.SuccessRate, 0), 100)/100)
		draw.Draw(canvas, bar, image.NewUniform(cardGood), image.Point{}, draw.Src)
	}
	for i, figure := range []struct{ name, value string }{
		{"cost", unit.USD(row.TotalCostUSD)},
		{"tokens", unit.Tokens(row.TotalTokens)},
		{"mean time a test", unit.Millis(row.AvgDurationMS)},
		{"energy", unit.Energy(row.TotalGPUEnergyWh)},
	} {
		x := left + i*270
		p.text(gobold.TTF, 44, x, 536, cardInk, figure.value, 250)
		p.text(goregular.TTF, 26, x, 576, cardMuted, figure.name, 250)
	}
	if p.err != nil {
		return nil, p.err
	}
	var out bytes.Buffer
	err := png.Encode(&out, canvas)
	return out.Bytes(), err
}

// successIn says of what the percentage is.
func successIn(row enrich.LeaderboardRow) string {
	tests := "tests"
	if row.NumTests == 1 {
		tests = "test"
	}
	if row.SuccessRate == nil {
		return fmt.Sprintf("%s %s, without verdicts", unit.Count(&row.NumTests), tests)
	}
	return fmt.Sprintf("success in %s %s", unit.Count(&row.NumTests), tests)
}

func orDash(s *string) string {
	if s == nil || strings.TrimSpace(*s) == "" {
		return unit.Absent
	}
	return *s
}

// A painter writes text, until something goes wrong.
type painter struct {
	canvas draw.Image
	err    error
}

// text writes a line with its base at y, cut to a width.
func (p *painter) text(face []byte, size float64, x, y int, ink color.Color, text string, width int) {
	if p.err != nil {
		return
	}
	parsed, err := opentype.Parse(face)
	if err != nil {
		p.err = err
		return
	}
	letters, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		p.err = err
		return
	}
	defer letters.Close()
	runes := []rune(strings.ToValidUTF8(text, "�"))
	runes = runes[:min(len(runes), 200)]
	for len(runes) > 1 && font.MeasureString(letters, string(runes)) > fixed.I(width) {
		runes = append(runes[:len(runes)-2], '…')
	}
	d := font.Drawer{Dst: p.canvas, Src: image.NewUniform(ink), Face: letters, Dot: fixed.P(x, y)}
	d.DrawString(string(runes))
}
