package mfa

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	svg "github.com/ajstarks/svgo"
	"github.com/boombuler/barcode/qr"
)

const (
	qrModulePixels = 5
	qrQuietModules = 4 // ISO/IEC 18004 §6.3.8
)

// QRCode draws a text as an SVG document. No character in it needs escaping in
// a data URI: clients put "data:image/svg+xml;utf-8," in front.
func QRCode(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("encode qr code: %w", err)
	}
	size := code.Bounds().Dx()
	total := size + 2*qrQuietModules

	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			start := x
			for x < size && dark(code.At(x, y)) {
				x++
			}
			if x > start {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", start+qrQuietModules, y+qrQuietModules, x-start, x-start)
			}
		}
	}

	var out bytes.Buffer
	canvas := svg.New(&out)
	canvas.Startview(total*qrModulePixels, total*qrModulePixels, 0, 0, total, total)
	canvas.Rect(0, 0, total, total, "fill:white")
	canvas.Path(path.String(), "fill:black")
	canvas.End()
	return out.String(), nil
}

func dark(c color.Color) bool {
	red, _, _, _ := c.RGBA()
	return red == 0
}
