package observability

import (
	"fmt"
	"io"
	"time"

	"github.com/sirupsen/logrus"
)

// NewLogger returns a logger that writes one JSON object a line. The level is
// one of logrus' names; empty means info.
func NewLogger(out io.Writer, level string) (*logrus.Logger, error) {
	log := logrus.New()
	log.SetOutput(out)
	log.SetFormatter(&logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano})
	if level == "" {
		return log, nil
	}
	parsed, err := logrus.ParseLevel(level)
	if err != nil {
		return log, fmt.Errorf("log level %q is not one of trace, debug, info, warn, error, fatal, panic", level)
	}
	log.SetLevel(parsed)
	return log, nil
}
