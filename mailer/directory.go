package mailer

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// withDirectory adds the bodies that lie in the template directory:
// "<kind>.html", and "<language>/<kind>.html". Addresses that are configured
// win. What is there when the mailer is made counts; what a file says may change.
func (c Config) withDirectory() Config {
	if c.TemplateDirectory == "" {
		return c
	}
	found, folders := c.scan(c.TemplateDirectory)
	c.Texts = c.Texts.withBodies(found)
	c.Translations = maps.Clone(c.Translations)
	if c.Translations == nil {
		c.Translations = make(map[string]Texts)
	}
	for _, folder := range folders {
		tag, err := language.Parse(folder)
		if err != nil || tag == language.Und {
			c.Logger.WithField("folder", folder).Warn("mail template directory has a folder that is no language")
			continue
		}
		found, _ := c.scan(filepath.Join(c.TemplateDirectory, folder))
		c.Translations[tag.String()] = c.Translations[tag.String()].withBodies(found)
	}
	return c
}

// scan lists the bodies in a folder, and the folders in it. Names that mean
// nothing are logged: most likely they are misspelled.
func (c Config) scan(folder string) (bodies map[Kind]string, folders []string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		c.Logger.WithError(err).Warn("mail template directory cannot be read")
	}
	bodies = make(map[Kind]string)
	for _, entry := range entries {
		name := entry.Name()
		kind, isBody := strings.CutSuffix(name, ".html")
		switch info, err := os.Stat(filepath.Join(folder, name)); {
		case strings.HasPrefix(name, "."): // such as what Kubernetes mounts
		case err == nil && info.IsDir():
			folders = append(folders, name)
		case isBody && slices.Contains(Kinds(), Kind(kind)):
			bodies[Kind(kind)] = fileScheme + filepath.Join(folder, name)
		default:
			c.Logger.WithField("file", name).Warn("mail template directory has a file that is named after no kind of mail")
		}
	}
	return bodies, folders
}

// withBodies adds bodies to those that are configured, which win.
func (t Texts) withBodies(found map[Kind]string) Texts {
	for kind, text := range t.Templates {
		if text != "" {
			found[kind] = text
		}
	}
	t.Templates = found
	return t
}
