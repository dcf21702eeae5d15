package mfa_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/mfa"
)

// TestQRCodeDrawsTheMatrix paints the path of the document and compares it with
// the encoder's modules.
func TestQRCodeDrawsTheMatrix(t *testing.T) {
	t.Parallel()
	const text = "otpauth://totp/app.test:a@b.test?secret=ABC"
	document, err := mfa.QRCode(text)
	require.NoError(t, err)

	var parsed struct {
		Path struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	require.NoError(t, xml.Unmarshal([]byte(document), &parsed))
	code, err := qr.Encode(text, qr.M, qr.Auto)
	require.NoError(t, err)
	size := code.Bounds().Dx()

	painted := make(map[[2]int]bool)
	for run := range strings.SplitSeq(strings.TrimSuffix(parsed.Path.D, "z"), "z") {
		var x, y, width, back int
		_, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &width, &back)
		require.NoError(t, err, run)
		require.Equal(t, width, back)
		for i := range width {
			painted[[2]int{x + i - 4, y - 4}] = true
		}
	}
	for y := range size {
		for x := range size {
			red, _, _, _ := code.At(x, y).RGBA()
			require.Equal(t, red == 0, painted[[2]int{x, y}], "module %d,%d", x, y)
		}
	}
}
