// Package sms hands text messages to the provider that the configuration
// names: Twilio, Twilio Verify, MessageBird, Textlocal or Vonage.
//
// A provider is two pure functions, one that writes the request and one that
// reads the answer; what they have in common, such as deadlines, bounds and
// errors, is in one place. Twilio Verify makes and checks its codes itself: its
// sender is a [Verifier] too.
//
// No error of this package contains a phone number or a code. What a provider
// says about a message may: it is in [Failure.Reason], which GoTrue shows to
// the caller, and which does not belong into logs.
package sms
