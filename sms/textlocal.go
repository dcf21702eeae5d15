package sms

import (
	"fmt"
	"net/url"

	"github.com/truegrant/truegrant/conf"
)

type textlocal struct{ conf.Textlocal }

func (l textlocal) request(m Message) request {
	return request{
		url: "https://api.textlocal.in/send",
		form: url.Values{
			"sender":  {l.Sender},
			"apikey":  {l.APIKey},
			"message": {m.Text},
			"numbers": {m.Phone},
		},
	}
}

// read does not repeat the message when the provider knows no such template
// (code 80), as GoTrue does: the code is in it.
func (textlocal) read(a answer) (id, refusal string) {
	var said struct {
		Status string `json:"status"`
		Errors []struct {
			Code    scalar `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
		Messages []struct {
			ID scalar `json:"id"`
		} `json:"messages"`
	}
	if !a.decode(&said) {
		return "", a.unexpected()
	}
	if len(said.Messages) > 0 {
		id = string(said.Messages[0].ID)
	}
	switch {
	case said.Status == "success" && a.succeeded():
		return id, ""
	case len(said.Errors) == 0:
		return "", a.unexpected()
	}
	refusal = fmt.Sprintf("textlocal error: %s (code: %s)", said.Errors[0].Message, said.Errors[0].Code)
	if id != "" {
		refusal += " message " + id
	}
	return "", refusal
}
