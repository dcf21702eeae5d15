package conf

import "time"

// DB describes the connection to PostgreSQL. Zero limits are GoTrue's: no
// limit on open connections, no idle ones, for ever. The storage package
// decides what a zero becomes.
type DB struct {
	// Driver is "postgres" or a synonym; empty means the scheme of URL.
	Driver string `required:"true"`
	// URL is the connection URL; unknown query parameters are session settings.
	URL string `envconfig:"DATABASE_URL" required:"true" secret:"url"`
	// Namespace is the schema named in migrations.
	Namespace string `envconfig:"DB_NAMESPACE" default:"auth"`
	// ConnPercentage is the share of the server's max_connections to use, 1 to
	// 100; 0 means the fixed limits below.
	ConnPercentage int `split_words:"true"`
	// MaxPoolSize limits open connections.
	MaxPoolSize int `split_words:"true"`
	// MaxIdlePoolSize limits idle connections.
	MaxIdlePoolSize int `split_words:"true"`
	// ConnMaxLifetime is the age at which a connection is replaced.
	ConnMaxLifetime time.Duration `split_words:"true"`
	// ConnMaxIdleTime is the idle time after which a connection is closed.
	ConnMaxIdleTime time.Duration `split_words:"true"`
	// HealthCheckPeriod is accepted for compatibility and has no effect.
	HealthCheckPeriod time.Duration `split_words:"true"`
	// MigrationsPath is accepted for compatibility and has no effect.
	MigrationsPath string `split_words:"true" default:"./migrations"`
	// CleanupEnabled turns the removal of spent and expired rows on.
	CleanupEnabled bool `split_words:"true"`
	// StatementCacheEnabled keeps prepared statements per connection. It has to
	// be off behind PgBouncer in transaction mode. (Not a setting of GoTrue.)
	StatementCacheEnabled bool `split_words:"true" default:"true"`
	// Advisor has no effect.
	Advisor DBAdvisor
}

// DBAdvisor is accepted for compatibility and has no effect: waits for a
// connection are a metric.
type DBAdvisor struct {
	// Enabled has no effect.
	Enabled bool `default:"true"`
	// SamplingInterval has no effect.
	SamplingInterval time.Duration `split_words:"true" default:"200ms"`
	// ObservationInterval has no effect.
	ObservationInterval time.Duration `split_words:"true" default:"20s"`
}
