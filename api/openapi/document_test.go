package openapi_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/openapi"
)

func document(t *testing.T) (raw []byte) {
	t.Helper()
	raw, err := openapi.Document(openapi.About{URL: "https://auth.test/auth/v1/", Version: "v1.2.3"})
	require.NoError(t, err)
	return raw
}

// The document is OpenAPI 3.1, and its examples fit their schemas.
func TestDocumentIsValid(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(document(t))
	require.NoError(t, err)
	require.True(t, doc.IsOpenAPI31OrLater())
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
}

func TestDocumentNamesTheServer(t *testing.T) {
	t.Parallel()
	var doc struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
		Servers []struct {
			URL string `json:"url"`
		} `json:"servers"`
	}
	require.NoError(t, json.Unmarshal(document(t), &doc))
	require.Equal(t, "v1.2.3", doc.Info.Version)
	require.Len(t, doc.Servers, 1)
	require.Equal(t, "https://auth.test/auth/v1", doc.Servers[0].URL)
}

// What every operation needs so that a client and its documentation can be
// generated from it.
func TestOperationsAreComplete(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(document(t))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, tag := range doc.Tags {
		known[tag.Name] = true
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			name := method + " " + path
			require.NotEmpty(t, operation.OperationID, name)
			require.NotEmpty(t, operation.Summary, name)
			require.Len(t, operation.Tags, 1, name)
			require.True(t, known[operation.Tags[0]], name)
			require.NotContains(t, operation.Extensions, "x-errors", name)
			for status, response := range operation.Responses.Map() {
				require.NotNil(t, response.Value.Description, name+" "+status)
				require.NotEmpty(t, *response.Value.Description, name+" "+status)
			}
		}
	}
}

// The lists of error codes are those of the code: none is missing, and each is
// used by some operation.
func TestErrorCodesAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths      any `json:"paths"`
		OtherPaths any `json:"x-other-paths"`
		Components struct {
			Schemas struct {
				ErrorCode, OAuthErrorCode struct {
					Enum []string `json:"enum"`
				}
			} `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(document(t), &doc))
	paths, err := json.Marshal([]any{doc.Paths, doc.OtherPaths})
	require.NoError(t, err)
	for _, list := range []struct {
		described []string
		pattern   string
		sources   string
	}{
		{doc.Components.Schemas.ErrorCode.Enum, `\bCode = "(\w+)"`, "../apierror/*.go"},
		{doc.Components.Schemas.ErrorCode.Enum, `apierror\.Code = "(\w+)"`, "../*.go"},
		{doc.Components.Schemas.ErrorCode.Enum, `apierror\.Code = "(\w+)"`, "../*/*.go"},
		{doc.Components.Schemas.OAuthErrorCode.Enum, `\bErrorCode = "(\w+)"`, "../../oauth/*.go"},
	} {
		codes := codesIn(t, list.sources, list.pattern)
		require.NotEmpty(t, codes, list.sources)
		require.Subset(t, list.described, codes, list.sources)
	}
	for _, code := range append(doc.Components.Schemas.ErrorCode.Enum, doc.Components.Schemas.OAuthErrorCode.Enum...) {
		if code != "unknown" { // of hooks, in the response for any status
			require.Contains(t, string(paths), `"`+code+`"`, "no operation uses it")
		}
	}
}

func codesIn(t *testing.T, files, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(files)
	require.NoError(t, err)
	var codes []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1) {
			codes = append(codes, found[1])
		}
	}
	return codes
}
