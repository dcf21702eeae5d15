package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only what can be read from the file again is given back.
func TestUnchangedMappings(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00500000 r-xp 00000000 08:01 7                    /truegrant
Size:               1024 kB
Private_Dirty:         4 kB
Anonymous:             0 kB
00500000-00600000 r--p 00100000 08:01 7                    /truegrant
Anonymous:             8 kB
00600000-00601000 rw-p 00200000 08:01 7                    /truegrant
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 08:01 8            /lib/libc.so.6
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`
	require.Equal(t, []mapping{{start: 0x400000, size: 0x100000}}, unchanged(strings.NewReader(smaps), "/truegrant"))
	require.Equal(t, mapping{}, parseRange("x-y"))
	require.Equal(t, mapping{}, parseRange("5-4"))
	forgetStart() // and this process lives on
}
