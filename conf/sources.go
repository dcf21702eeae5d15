package conf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// Sources tells where configuration comes from besides the environment of the
// process, from the weakest to the strongest.
type Sources struct {
	// WorkDir is where .env is looked for; empty means the current directory.
	WorkDir string
	// ConfigFile is a dotenv file, or a JSON file if its name ends in ".json".
	// Empty means none.
	ConfigFile string
	// ConfigDir holds *.env and *.json files. Empty means none.
	ConfigDir string
	// RequireDir makes a missing or broken ConfigDir an error instead of a
	// warning. A reload sets it, so that it keeps the old configuration.
	RequireDir bool
}

// read merges the files. The result does not contain the environment.
func (s Sources) read() (map[string]string, []Warning, error) {
	values := map[string]string{}
	var warnings []Warning

	err := mergeFile(values, filepath.Join(s.WorkDir, ".env"))
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist):
	case s.ConfigFile == "":
		return nil, nil, err
	default:
		warnings = append(warnings, Warning{Message: fmt.Sprintf("ignored: %v", err)})
	}

	if s.ConfigFile != "" {
		if err := mergeFile(values, s.ConfigFile); err != nil {
			return nil, nil, err
		}
	}
	if s.ConfigDir != "" {
		fromDir, err := readDir(s.ConfigDir)
		switch {
		case err == nil:
			maps.Copy(values, fromDir)
		case s.RequireDir:
			return nil, nil, err
		default:
			warnings = append(warnings, Warning{Message: fmt.Sprintf("unable to load config from watch dir: %v", err)})
		}
	}
	return values, warnings, nil
}

// readDir merges the *.env and *.json files of a directory in the order of
// their names. Of X.env and X.json, one after the other, only X.json is read.
func readDir(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read configuration directory: %w", err)
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || filepath.Ext(name) != ".env" && filepath.Ext(name) != ".json" {
			continue
		}
		last := len(names) - 1
		if base, isJSON := strings.CutSuffix(name, ".json"); isJSON && last >= 0 && names[last] == base+".env" {
			names = names[:last]
		}
		names = append(names, name)
	}
	values := map[string]string{}
	for _, name := range names {
		if err := mergeFile(values, filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// mergeFile adds the values of a file to those of weaker sources.
func mergeFile(values map[string]string, path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("read configuration file: %w", err)
	}
	parse := parseDotenv
	if filepath.Ext(path) == ".json" {
		parse = parseFlatJSON
	}
	parsed, err := parse(string(data))
	if err != nil {
		return fmt.Errorf("configuration file %s: %w", path, err)
	}
	maps.Copy(values, parsed)
	return nil
}

// errFlatJSON says what a JSON file has to be. The cause is left out: it may
// quote a secret.
var errFlatJSON = errors.New("not a flat JSON object of strings")

func parseFlatJSON(text string) (map[string]string, error) {
	var parsed map[string]*string
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return nil, errFlatJSON
	}
	values := make(map[string]string, len(parsed))
	for name, value := range parsed {
		if value == nil || name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, errFlatJSON
		}
		values[name] = *value
	}
	return values, nil
}
