package conf

// Load reads all sources, exports the values of files to the environment of
// the process, and returns the effective configuration. A key that a file no
// longer has keeps its exported value until the process ends.
//
// The error joins every Problem found, or tells which file cannot be read.
// Warnings are returned in both cases; they are for the log.
func Load(s Sources) (*Config, []Warning, error) {
	values, warnings, err := s.read()
	if err != nil {
		return nil, warnings, err
	}
	if err := export(values); err != nil {
		return nil, warnings, err
	}
	c, more, err := fromEnvironment()
	return c, append(warnings, more...), err
}

// fromEnvironment builds the configuration that the environment describes.
func fromEnvironment() (*Config, []Warning, error) {
	c, r := new(Config), newReport()
	c.Mailer.Translations = readTranslations()
	vars := c.variables()
	c.set = present(vars)
	decodeAll(c, r)
	resolve(c, r)
	c.check(r)
	warnUnknown(r, environmentNames(), knownNames(vars))
	if err := r.err(); err != nil {
		return nil, r.warnings, err
	}
	return c, r.warnings, nil
}
