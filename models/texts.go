package models

import "github.com/truegrant/truegrant/storage"

// Texts is a list that a statement returns as a JSON array.
type Texts []string

// Scan implements sql.Scanner.
func (t *Texts) Scan(src any) error { return storage.ScanJSON(src, t) }
