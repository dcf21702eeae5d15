package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/truegrant/truegrant/conf"
)

const (
	twilioURL       = "https://api.twilio.com/2010-04-01/Accounts/"
	twilioVerifyURL = "https://verify.twilio.com/v2/Services/"
)

// twilioSettings are what both services at Twilio need, as GoTrue names them.
func twilioSettings(account, token, service string) []setting {
	return []setting{
		{"Twilio account SID", account},
		{"Twilio auth token", token},
		{"Twilio message service SID or Twilio phone number", service},
	}
}

// twilio sends our own texts.
type twilio struct{ conf.Twilio }

func (t twilio) request(m Message) request {
	form := url.Values{
		"To":      {"+" + m.Phone},
		"Channel": {m.Channel},
		"From":    {t.MessageServiceSID},
		"Body":    {m.Text},
	}
	if m.Channel == ChannelWhatsApp {
		form.Set("To", "whatsapp:+"+m.Phone)
		form.Set("From", whatsAppSender(t.MessageServiceSID))
		if t.ContentSID != "" {
			code, _ := json.Marshal(m.Code) // a string always has a JSON form
			form.Del("Body")
			form.Set("ContentSid", t.ContentSID)
			form.Set("ContentVariables", `{"1": `+string(code)+`}`)
		}
	}
	return request{
		url:           twilioURL + url.PathEscape(t.AccountSID) + "/Messages.json",
		authorization: basic(t.AccountSID, t.AuthToken),
		form:          form,
	}
}

// whatsAppSender names a sender as WhatsApp's: a phone number is prefixed, a
// messaging service is not.
func whatsAppSender(from string) string {
	digits := strings.TrimPrefix(from, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return from
	}
	return "whatsapp:+" + digits
}

func (twilio) read(a answer) (id, refusal string) { return readTwilio(a) }

// readTwilio reads the answer of either service.
func readTwilio(a answer) (id, refusal string) {
	var said struct {
		SID      string `json:"sid"`
		Status   scalar `json:"status"` // a word if the message was accepted, else the HTTP status
		Code     scalar `json:"error_code"`
		Error    string `json:"error_message"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
	}
	decoded := a.decode(&said)
	switch {
	case !decoded:
		return "", a.unexpected()
	case !a.succeeded() && said.Message == "":
		return "", a.unexpected()
	case !a.succeeded():
		return "", fmt.Sprintf("%s More information: %s", said.Message, said.MoreInfo)
	case said.Status == "failed" || said.Status == "undelivered":
		return "", fmt.Sprintf("twilio error: %s %s for message %s", said.Error, said.Code, said.SID)
	}
	return said.SID, ""
}

// twilioVerify has Twilio make the code, write the text and check the code.
type twilioVerify struct{ conf.TwilioVerify }

func (t twilioVerify) request(m Message) request {
	return t.post("Verifications", url.Values{"To": {"+" + m.Phone}, "Channel": {m.Channel}})
}

func (t twilioVerify) post(resource string, form url.Values) request {
	return request{
		url:           twilioVerifyURL + url.PathEscape(t.MessageServiceSID) + "/" + resource,
		authorization: basic(t.AccountSID, t.AuthToken),
		form:          form,
	}
}

func (twilioVerify) read(a answer) (id, refusal string) { return readTwilio(a) }

// verifier is the sender that checks codes too.
type verifier struct {
	Sender
	client  client
	gateway twilioVerify
}

// Check implements [Verifier].
func (v verifier) Check(ctx context.Context, phone, code string) error {
	a, err := v.client.post(ctx, v.gateway.post("VerificationCheck", url.Values{
		"To":   {"+" + strings.TrimPrefix(phone, "+")},
		"Code": {code},
	}))
	if err != nil {
		return unreachable(err)
	}
	// Twilio forgets a verification that expired, was used or was guessed at too
	// often.
	if a.status == http.StatusNotFound {
		return ErrCode
	}
	if _, refusal := v.gateway.read(a); refusal != "" {
		return refused(refusal, code)
	}
	var said struct {
		Status string `json:"status"`
		Valid  bool   `json:"valid"`
	}
	if !a.decode(&said) || said.Status != "approved" || !said.Valid {
		return ErrCode
	}
	return nil
}
