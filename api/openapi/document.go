package openapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed spec
var spec embed.FS

// About is what the description says of the server that serves it.
type About struct {
	// URL is the address of the API, API_EXTERNAL_URL.
	URL string
	// Version is the server's.
	Version string
}

// object is a JSON object.
type object = map[string]any

// Document renders the description as JSON.
func Document(about About) ([]byte, error) {
	doc, err := load(spec)
	if err != nil {
		return nil, err
	}
	if err := expandErrors(doc); err != nil {
		return nil, err
	}
	doc["servers"] = []any{object{"url": strings.TrimRight(about.URL, "/")}}
	member(doc, "info")["version"] = about.Version
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("render description: %w", err)
	}
	return raw, nil
}

// load merges the files of the description.
func load(files fs.FS) (object, error) {
	doc := object{}
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		part := object{}
		if err := yaml.Unmarshal(raw, &part); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := merge(doc, part); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return doc, err
}

// merge adds a part to a document. What both say, even in the same words, is an
// error: one of the two would be overlooked when it changes.
func merge(doc, part object) error {
	for name, value := range part {
		known, exists := doc[name]
		if !exists {
			doc[name] = value
			continue
		}
		into, isObject := known.(object)
		from, areObjects := value.(object)
		if !isObject || !areObjects {
			return fmt.Errorf("%s is described twice", name)
		}
		if err := merge(into, from); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// member is the object with a name, made if there is none.
func member(of object, name string) object {
	if known, ok := of[name].(object); ok {
		return known
	}
	fresh := object{}
	of[name] = fresh
	return fresh
}

// take removes the object with a name and returns it, nil if there is none.
func take(of object, name string) object {
	taken, _ := of[name].(object)
	delete(of, name)
	return taken
}
