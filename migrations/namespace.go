package migrations

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// namespaceForm leaves out what would need quoting. GoTrue does not quote the
// name, so "Auth" is auth to it: refusing such names keeps both in one schema.
var namespaceForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// checkNamespace returns the namespace to use, or says why a name cannot be one.
func checkNamespace(name string) (string, error) {
	name = cmp.Or(name, DefaultNamespace)
	if !namespaceForm.MatchString(name) {
		return "", fmt.Errorf("database namespace %q: use at most 63 lower-case letters, digits and underscores", name)
	}
	if strings.HasPrefix(name, "pg_") || name == "information_schema" {
		return "", fmt.Errorf("database namespace %q belongs to PostgreSQL", name)
	}
	return name, nil
}

// searchPath is the value of search_path while migrating. pg_temp is named to
// be searched last: by default it would come first.
func searchPath(namespace string) string {
	return pgx.Identifier{namespace}.Sanitize() + ", pg_temp"
}
