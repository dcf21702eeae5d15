package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	m := newMarkers()
	compiled := m.compile(statement{sql: "select", args: []any{
		m.id(slotSession), `{"id":"` + m.text(slotUser) + `","key":"` + m.text(slotKey) + `"}`, m.text(slotDigest),
		m.number, m.number + 1, int64(7), m.now.Add(time.Hour), "constant", true,
	}})
	v := values{number: 3, now: time.Unix(1000, 0)}
	v.setID(slotSession, newID())
	v.setID(slotUser, newID())
	v.texts[slotKey], v.texts[slotDigest] = "k", "d"
	require.Equal(t, []any{
		v.ids[slotSession], `{"id":"` + v.ids[slotUser].String() + `","key":"k"}`, "d",
		int64(3), int64(4), int64(7), time.Unix(4600, 0), "constant", true,
	}, compiled.fill(&v))
}
