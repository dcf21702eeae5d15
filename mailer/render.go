package mailer

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
	"unicode"

	"github.com/sirupsen/logrus"
)

//go:embed bodies/*.html
var bodyFiles embed.FS

// renderer holds the templates that do not change while the process runs.
type renderer struct {
	subjects  map[Kind]*template.Template // configured ones only
	fallbacks map[Kind]fallback
	logger    logrus.FieldLogger
}

// fallback is the built-in subject and body of a kind.
type fallback struct {
	subject *template.Template
	body    *template.Template
}

// newRenderer parses the built-in texts and the configured subjects. One that
// is malformed is reported once, here, and replaced by the built-in one: a typo
// in a subject must not keep people from signing in.
func newRenderer(subjects map[Kind]string, logger logrus.FieldLogger) (*renderer, error) {
	r := &renderer{
		subjects:  make(map[Kind]*template.Template),
		fallbacks: make(map[Kind]fallback),
		logger:    logger,
	}
	for _, kind := range Kinds() {
		builtIn, err := parseFallback(kind)
		if err != nil {
			return nil, fmt.Errorf("built-in template %s: %w", kind, err)
		}
		r.fallbacks[kind] = builtIn
		if subjects[kind] == "" {
			continue
		}
		subject, err := parse(kind, subjects[kind])
		if err != nil {
			logger.WithField("kind", kind).WithError(err).Warn("mail subject is malformed, the built-in one is used")
			continue
		}
		r.subjects[kind] = subject
	}
	return r, nil
}

func parseFallback(kind Kind) (fallback, error) {
	subject, err := parse(kind, kind.subject())
	if err != nil {
		return fallback{}, err
	}
	body, err := template.ParseFS(bodyFiles, "bodies/layout.html", "bodies/"+string(kind)+".html")
	if err != nil {
		return fallback{}, err
	}
	return fallback{subject: subject, body: body}, nil
}

// parse reads a template and escapes it. html/template does the latter only
// when a template is first executed, hence the rehearsal: what it says about
// the data it gets here does not matter, what it says about the template does.
func parse(kind Kind, text string) (*template.Template, error) {
	t, err := template.New(string(kind)).Parse(text)
	if err != nil {
		return nil, err
	}
	err = t.Execute(new(strings.Builder), TemplateData{}.variables(kind))
	if malformed, ok := err.(*template.Error); ok { //nolint:errorlint // never wrapped
		return nil, malformed
	}
	return t, nil
}

// render writes subject and body of a message; a nil body is the built-in one.
// A template that fails on this message's data gives way to the built-in one.
func (r *renderer) render(msg Message, body *template.Template) (string, string, error) {
	builtIn := r.fallbacks[msg.Kind]
	variables := msg.Data.variables(msg.Kind)

	subject, err := r.execute(msg.Kind, r.subjects[msg.Kind], builtIn.subject, variables)
	if err != nil {
		return "", "", fmt.Errorf("subject of %s: %w", msg.Kind, err)
	}
	text, err := r.execute(msg.Kind, body, builtIn.body, variables)
	if err != nil {
		return "", "", fmt.Errorf("body of %s: %w", msg.Kind, err)
	}
	return oneLine(subject), text, nil
}

func (r *renderer) execute(kind Kind, custom, builtIn *template.Template, variables map[string]any) (string, error) {
	if custom != nil {
		var out strings.Builder
		err := custom.Execute(&out, variables)
		if err == nil {
			return out.String(), nil
		}
		r.logger.WithField("kind", kind).WithError(err).Warn("mail template failed, the built-in one is used")
	}
	var out strings.Builder
	err := builtIn.Execute(&out, variables)
	return out.String(), err
}

// oneLine makes text fit for a header: whatever could start another line, or is
// invisible, becomes a space.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, text))
}
