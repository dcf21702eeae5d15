package sms

import (
	"net/url"

	"github.com/truegrant/truegrant/conf"
)

type messagebird struct{ conf.Messagebird }

func (b messagebird) request(m Message) request {
	return request{
		url:           "https://rest.messagebird.com/messages",
		authorization: "AccessKey " + b.AccessKey,
		form: url.Values{
			"originator": {b.Originator},
			"body":       {m.Text},
			"recipients": {m.Phone},
			"type":       {"sms"},
			"datacoding": {"unicode"},
		},
	}
}

func (messagebird) read(a answer) (id, refusal string) {
	var said struct {
		ID         string `json:"id"`
		Recipients struct {
			TotalSentCount int `json:"totalSentCount"`
		} `json:"recipients"`
		Errors []struct {
			Description string `json:"description"`
		} `json:"errors"`
	}
	decoded := a.decode(&said)
	switch {
	case !decoded:
		return "", a.unexpected()
	case !a.succeeded() && len(said.Errors) > 0 && said.Errors[0].Description != "":
		return "", said.Errors[0].Description
	case !a.succeeded():
		return "", a.unexpected()
	case said.Recipients.TotalSentCount == 0:
		return "", "messagebird error: total sent count is 0"
	}
	return said.ID, ""
}
