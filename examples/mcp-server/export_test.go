package mcpserver

// Handle answers a message of a caller without claims.
func Handle(body []byte) (status int, answer any) {
	code, r := handle(body, caller{})
	if r == nil {
		return code, nil
	}
	return code, r
}
