package sms_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/sms"
)

// Answers of providers that accept a message.
const (
	twilioQueued    = `{"sid":"SM1","status":"queued","error_code":null,"error_message":null}`
	twilioPending   = `{"sid":"VE1","status":"pending","valid":false}`
	messagebirdSent = `{"id":"mb1","recipients":{"totalSentCount":1}}`
	textlocalSent   = `{"status":"success","messages":[{"id":1151346216}]}`
	vonageSent      = `{"messages":[{"message-id":"vo1","status":"0"}]}`
)

func TestRequests(t *testing.T) {
	t.Parallel()
	withContent := account("twilio")
	withContent.Twilio.ContentSID = "HX1"
	fromNumber := account("twilio")
	fromNumber.Twilio.MessageServiceSID = "+15550001111"
	const (
		messages = "/2010-04-01/Accounts/AC%2F1/Messages.json"
		basic1   = "Basic QUMvMTp0b2tlbg==" // AC/1:token
		basic2   = "Basic QUMyOnRva2Vu"     // AC2:token
	)
	tests := []struct {
		name    string
		conf    conf.SMS
		message sms.Message
		status  int
		answer  string
		id      string
		want    call
	}{
		{"twilio", account("twilio"), message(""), 201, twilioQueued, "SM1", call{
			host: "api.twilio.com", path: messages, authorization: basic1,
			form: url.Values{"To": {"+" + phone}, "Channel": {"sms"}, "From": {"MG1"}, "Body": {"Your code is 424242"}},
		}},
		{"twilio, plus in the number", account("twilio"), sms.Message{Phone: "+" + phone, Text: "x"}, 200, twilioQueued, "SM1", call{
			host: "api.twilio.com", path: messages, authorization: basic1,
			form: url.Values{"To": {"+" + phone}, "Channel": {"sms"}, "From": {"MG1"}, "Body": {"x"}},
		}},
		{"twilio, content is for WhatsApp", withContent, message("sms"), 201, twilioQueued, "SM1", call{
			host: "api.twilio.com", path: messages, authorization: basic1,
			form: url.Values{"To": {"+" + phone}, "Channel": {"sms"}, "From": {"MG1"}, "Body": {"Your code is 424242"}},
		}},
		{"twilio, whatsapp", account("twilio"), message("whatsapp"), 201, twilioQueued, "SM1", call{
			host: "api.twilio.com", path: messages, authorization: basic1,
			form: url.Values{"To": {"whatsapp:+" + phone}, "Channel": {"whatsapp"}, "From": {"MG1"}, "Body": {"Your code is 424242"}},
		}},
		{"twilio, whatsapp from a number", fromNumber, message("whatsapp"), 201, twilioQueued, "SM1", call{
			host: "api.twilio.com", path: messages, authorization: basic1,
			form: url.Values{"To": {"whatsapp:+" + phone}, "Channel": {"whatsapp"}, "From": {"whatsapp:+15550001111"}, "Body": {"Your code is 424242"}},
		}},
		{"twilio, whatsapp with content", withContent, message("whatsapp"), 201, twilioQueued, "SM1", call{
			host: "api.twilio.com", path: messages, authorization: basic1,
			form: url.Values{
				"To": {"whatsapp:+" + phone}, "Channel": {"whatsapp"}, "From": {"MG1"},
				"ContentSid": {"HX1"}, "ContentVariables": {`{"1": "424242"}`},
			},
		}},
		{"twilio_verify", account("twilio_verify"), message("whatsapp"), 201, twilioPending, "VE1", call{
			host: "verify.twilio.com", path: "/v2/Services/VA1/Verifications", authorization: basic2,
			form: url.Values{"To": {"+" + phone}, "Channel": {"whatsapp"}},
		}},
		{"messagebird", account("messagebird"), message("sms"), 201, messagebirdSent, "mb1", call{
			host: "rest.messagebird.com", path: "/messages", authorization: "AccessKey key",
			form: url.Values{
				"originator": {"Ada"}, "body": {"Your code is 424242"}, "recipients": {phone},
				"type": {"sms"}, "datacoding": {"unicode"},
			},
		}},
		{"textlocal", account("textlocal"), message("sms"), 200, textlocalSent, "1151346216", call{
			host: "api.textlocal.in", path: "/send",
			form: url.Values{"sender": {"Ada"}, "apikey": {"key"}, "message": {"Your code is 424242"}, "numbers": {phone}},
		}},
		{"vonage", account("vonage"), message("sms"), 200, vonageSent, "vo1", call{
			host: "rest.nexmo.com", path: "/sms/json",
			form: url.Values{"from": {"Ada"}, "to": {phone}, "text": {"Your code is 424242"}, "api_key": {"key"}, "api_secret": {"secret"}},
		}},
		{"vonage, beyond ASCII", account("vonage"), sms.Message{Phone: phone, Text: "Ihr Schlüssel"}, 200, vonageSent, "vo1", call{
			host: "rest.nexmo.com", path: "/sms/json",
			form: url.Values{"from": {"Ada"}, "to": {phone}, "text": {"Ihr Schlüssel"}, "api_key": {"key"}, "api_secret": {"secret"}, "type": {"unicode"}},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, says(test.status, test.answer))
			id, err := setup(t, test.conf, p).Send(t.Context(), test.message)
			require.NoError(t, err)
			require.Equal(t, test.id, id)

			test.want.method, test.want.contentType = http.MethodPost, "application/x-www-form-urlencoded"
			require.Equal(t, []call{test.want}, p.seen())
		})
	}
}
