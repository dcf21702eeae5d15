package conf

import (
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/kelseyhightower/envconfig"
)

// variable is one environment variable and the fields it fills.
type variable struct {
	key    string // prefixed name
	alias  string // bare name, or empty
	prefix string // prefix of the section
	field  reflect.StructField
	raw    reflect.Value // what the text is decoded into

	effective reflect.StructField // differs from field for inputs
	value     reflect.Value       // what consumers read
}

// variables lists all variables of c in the order of the fields, the
// providers and the translations of mails at the end. The fields of providers
// are copies.
func (c *Config) variables() []variable {
	vars := walk(nil, prefix, reflect.ValueOf(c).Elem())
	for _, name := range ProviderNames() {
		p := c.External.Providers[name]
		vars = walk(vars, providerPrefix(name), reflect.ValueOf(&p).Elem())
	}
	for i := range c.Mailer.Translations {
		vars = walkTranslation(vars, &c.Mailer.Translations[i])
	}
	return vars
}

func providerPrefix(name string) string {
	return prefix + "_EXTERNAL_" + strings.ToUpper(name)
}

// walk appends the variables of a section and of the sections in it.
func walk(vars []variable, prefix string, section reflect.Value) []variable {
	for i := range section.NumField() {
		field := section.Type().Field(i)
		switch {
		case !field.IsExported() || field.Tag.Get("ignored") == "true":
		case field.Anonymous:
			vars = walkInput(vars, prefix, section, section.Field(i))
		case isSection(field.Type):
			vars = walk(vars, prefix+"_"+variableName(field), section.Field(i))
		default:
			vars = append(vars, newVariable(prefix, field, section.Field(i)))
		}
	}
	return vars
}

// walkInput appends the variables of an embedded input struct. Their values
// are the fields of section that hide them.
func walkInput(vars []variable, prefix string, section, input reflect.Value) []variable {
	for i := range input.NumField() {
		field := input.Type().Field(i)
		v := newVariable(prefix, field, input.Field(i))
		v.value = section.FieldByName(field.Name)
		v.effective, _ = section.Type().FieldByName(field.Name)
		vars = append(vars, v)
	}
	return vars
}

func newVariable(prefix string, field reflect.StructField, value reflect.Value) variable {
	return variable{
		key:       prefix + "_" + variableName(field),
		alias:     strings.ToUpper(field.Tag.Get("envconfig")),
		prefix:    prefix,
		field:     field,
		raw:       value,
		effective: field,
		value:     value,
	}
}

// isSection tells a struct of settings from a struct that is one value.
func isSection(t reflect.Type) bool {
	decoder := reflect.TypeFor[envconfig.Decoder]()
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(decoder)
}

// variableName derives the last part of a name as envconfig does.
func variableName(field reflect.StructField) string {
	if alias := field.Tag.Get("envconfig"); alias != "" {
		return strings.ToUpper(alias)
	}
	if field.Tag.Get("split_words") != "true" {
		return strings.ToUpper(field.Name)
	}
	return strings.ToUpper(splitWords(field.Name))
}

// splitWords puts an underscore between words: "OTPLength" becomes
// "OTP_Length", "OAuth" becomes "O_Auth".
func splitWords(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			startsWord := i+1 < len(runes) && !unicode.IsUpper(runes[i+1])
			if startsWord || !unicode.IsUpper(runes[i-1]) {
				b.WriteByte('_')
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// displayNames maps keys to the names that people use: the bare name, unless
// several variables share it.
func displayNames(vars []variable) map[string]string {
	uses := map[string]int{}
	for _, v := range vars {
		uses[v.alias]++
	}
	names := make(map[string]string, len(vars))
	for _, v := range vars {
		names[v.key] = v.key
		if v.alias != "" && uses[v.alias] == 1 {
			names[v.key] = v.alias
		}
	}
	return names
}

// knownNames lists every name that is read, sorted.
func knownNames(vars []variable) []string {
	var names []string
	for _, v := range vars {
		names = append(names, v.key)
		if v.alias != "" {
			names = append(names, v.alias)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
