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
	subjects  map[edition]*template.Template // configured ones only
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
func newRenderer(texts Texts, translations map[string]Texts, logger logrus.FieldLogger) (*renderer, error) {
	r := &renderer{
		subjects:  make(map[edition]*template.Template),
		fallbacks: make(map[Kind]fallback),
		logger:    logger,
	}
	for _, kind := range Kinds() {
		builtIn, err := parseFallback(kind)
		if err != nil {
			return nil, fmt.Errorf("built-in template %s: %w", kind, err)
		}
		r.fallbacks[kind] = builtIn
	}
	r.add("", texts.Subjects)
	for language, texts := range translations {
		r.add(language, texts.Subjects)
	}
	return r, nil
}

// add parses the subjects of a language.
func (r *renderer) add(language string, subjects map[Kind]string) {
	for kind, text := range subjects {
		if text == "" {
			continue
		}
		subject, err := parse(kind, text)
		if err != nil {
			r.logger.WithFields(logrus.Fields{"kind": kind, "language": language}).WithError(err).
				Warn("mail subject is malformed, another one is used")
			continue
		}
		r.subjects[edition{kind, language}] = subject
	}
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
// A subject within a body rehearses too.
func parse(kind Kind, text string) (*template.Template, error) {
	t, err := template.New(string(kind)).Parse(text)
	if err != nil {
		return nil, err
	}
	for _, part := range []*template.Template{t, t.Lookup(subjectBlock)} {
		if part == nil {
			continue
		}
		err := part.Execute(new(strings.Builder), TemplateData{}.variables(kind))
		if malformed, ok := err.(*template.Error); ok { //nolint:errorlint // never wrapped
			return nil, malformed
		}
	}
	return t, nil
}

// subjectBlock is the template that a body may define to be its subject.
const subjectBlock = "subject"

// subjectsOf lists the subjects of an edition, the best first: the configured
// one, and that of its body, which may be nil.
func (r *renderer) subjectsOf(e edition, body *template.Template) []*template.Template {
	var subjects []*template.Template
	if configured := r.subjects[e]; configured != nil {
		subjects = append(subjects, configured)
	}
	if body == nil {
		return subjects
	}
	if block := body.Lookup(subjectBlock); block != nil {
		subjects = append(subjects, block)
	}
	return subjects
}

// render writes a message with the first of the subjects and with the body, nil
// for the built-in one. A template that fails on this message's data gives way
// to the next one, in the end to the built-in one.
func (r *renderer) render(msg Message, subjects []*template.Template, body *template.Template) (string, string, error) {
	builtIn := r.fallbacks[msg.Kind]
	variables := msg.Data.variables(msg.Kind)

	subject, err := r.execute(msg.Kind, variables, append(subjects, builtIn.subject)...)
	if err != nil {
		return "", "", fmt.Errorf("subject of %s: %w", msg.Kind, err)
	}
	text, err := r.execute(msg.Kind, variables, body, builtIn.body)
	if err != nil {
		return "", "", fmt.Errorf("body of %s: %w", msg.Kind, err)
	}
	return oneLine(subject), text, nil
}

// execute runs the first of the candidates that succeeds.
func (r *renderer) execute(kind Kind, variables map[string]any, candidates ...*template.Template) (string, error) {
	var failure error
	for _, candidate := range candidates {
		if candidate == nil {
			continue
		}
		var out strings.Builder
		if failure = candidate.Execute(&out, variables); failure == nil {
			return out.String(), nil
		}
		r.logger.WithField("kind", kind).WithError(failure).Warn("mail template failed, another one is used")
	}
	return "", failure
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
