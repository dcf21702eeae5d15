package conf

import "time"

// SMTP describes the mail server.
type SMTP struct {
	SMTPInput

	// Host is empty when no mail is to be sent.
	Host string
	// Port 465 means TLS from the start, any other STARTTLS when offered.
	Port int `default:"587"`
	// User is empty when the server asks for no authentication.
	User string
	// Pass is the password of User.
	Pass string `secret:"true"`
	// AdminEmail is the From address.
	AdminEmail string `split_words:"true"`
	// SenderName is the From name.
	SenderName string `split_words:"true"`
	// MaxFrequency is the least time between two mails of a kind to a user.
	MaxFrequency time.Duration `split_words:"true" zero:"1m"`
	// Headers are added to every mail; "$messageType" in a value stands for the
	// kind of the mail.
	Headers map[string][]string `ignored:"true"`
	// LoggingEnabled logs a line for each mail.
	LoggingEnabled bool `split_words:"true"`
}

// SMTPInput holds variables of SMTP whose written form differs.
type SMTPInput struct {
	// Headers is a JSON object, header to list of values.
	Headers string `secret:"true"`
}
