package apitest

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
)

// Log keeps what a server logs, one JSON object a line. It is safe for
// concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is the whole log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// said is the text of every line's members, without numbers and times. A line
// that is no JSON counts as it is.
func (l *Log) said() string {
	var said strings.Builder
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) != nil {
			said.WriteString(text)
			continue
		}
		delete(line, "time")
		say(&said, line)
	}
	return said.String()
}

// say writes the texts in a value, however deep.
func say(said *strings.Builder, value any) {
	switch value := value.(type) {
	case string:
		said.WriteString(value + "\n")
	case []any:
		for _, each := range value {
			say(said, each)
		}
	case map[string]any:
		for _, each := range value {
			say(said, each)
		}
	}
}

// Requests are the lines that tell of a request, decoded.
func (l *Log) Requests() []map[string]any {
	var lines []map[string]any
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["route"] != nil {
			lines = append(lines, line)
		}
	}
	return lines
}
