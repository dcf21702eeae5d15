package sms

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/truegrant/truegrant/conf"
)

type vonage struct{ conf.Vonage }

func (v vonage) request(m Message) request {
	form := url.Values{
		"from":       {v.From},
		"to":         {m.Phone},
		"text":       {m.Text},
		"api_key":    {v.APIKey},
		"api_secret": {v.APISecret},
	}
	if strings.ContainsFunc(m.Text, func(r rune) bool { return r > unicode.MaxASCII }) {
		form.Set("type", "unicode")
	}
	return request{url: "https://rest.nexmo.com/sms/json", form: form}
}

// read takes the first part of a message for the whole, as GoTrue does.
func (vonage) read(a answer) (id, refusal string) {
	var said struct {
		Messages []struct {
			ID     string `json:"message-id"`
			Status scalar `json:"status"`
			Error  string `json:"error-text"`
		} `json:"messages"`
	}
	if !a.decode(&said) || !a.succeeded() || len(said.Messages) == 0 {
		return "", a.unexpected()
	}
	first := said.Messages[0]
	if first.Status != "0" {
		return "", fmt.Sprintf("vonage error: %s (status: %s) for message %s", first.Error, first.Status, first.ID)
	}
	return first.ID, ""
}
