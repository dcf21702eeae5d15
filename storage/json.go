package storage

import (
	"encoding/json"
	"fmt"
)

// ScanJSON decodes a json or jsonb column into dest. NULL leaves dest as it is.
func ScanJSON(src, dest any) error {
	switch value := src.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(value, dest)
	case string:
		return json.Unmarshal([]byte(value), dest)
	}
	return fmt.Errorf("storage: cannot read JSON from %T", src)
}
