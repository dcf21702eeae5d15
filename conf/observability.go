package conf

// Logging describes the log.
type Logging struct {
	// Level is trace, debug, info, warn, error, fatal or panic.
	Level string `default:"info"`
	// File is appended to; empty means standard error.
	File string
	// SQL is none, statement or all, the last with arguments.
	SQL string `default:"none"`
	// DisableColors is accepted for compatibility and has no effect.
	DisableColors bool `split_words:"true"`
	// QuoteEmptyFields is accepted for compatibility and has no effect.
	QuoteEmptyFields bool `split_words:"true"`
	// TSFormat is accepted for compatibility and has no effect.
	TSFormat string
	// Fields is accepted for compatibility and has no effect.
	Fields map[string]string
}

// Metrics describes the export of metrics.
type Metrics struct {
	// Enabled turns it on.
	Enabled bool
	// Exporter is opentelemetry or prometheus.
	Exporter string `default:"opentelemetry"`
	// ExporterProtocol is http/protobuf or grpc.
	ExporterProtocol string `envconfig:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf"`
	// PrometheusListenHost is the address that serves metrics.
	PrometheusListenHost string `envconfig:"OTEL_EXPORTER_PROMETHEUS_HOST" default:"0.0.0.0"`
	// PrometheusListenPort is the port that serves metrics.
	PrometheusListenPort string `envconfig:"OTEL_EXPORTER_PROMETHEUS_PORT" default:"9100"`
}

// Tracing describes the export of traces.
type Tracing struct {
	// Enabled turns it on.
	Enabled bool
	// Exporter is opentelemetry.
	Exporter string `default:"opentelemetry"`
	// ExporterProtocol is http/protobuf or grpc.
	ExporterProtocol string `envconfig:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf"`
	// Host is accepted for compatibility and has no effect.
	Host string
	// Port is accepted for compatibility and has no effect.
	Port string
	// ServiceName is accepted for compatibility and has no effect.
	ServiceName string `split_words:"true" default:"gotrue"`
	// Tags is accepted for compatibility and has no effect.
	Tags map[string]string
}

// Profiler describes the server of run-time profiles.
type Profiler struct {
	// Enabled turns it on.
	Enabled bool
	// Host is its address.
	Host string `default:"localhost"`
	// Port is its port.
	Port string `default:"9998"`
}

// AuditLog describes where audit events go.
type AuditLog struct {
	// DisablePostgres leaves them to the log.
	DisablePostgres bool `split_words:"true"`
}
