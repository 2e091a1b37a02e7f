//! Webhooks and the lists of whom calls may ring, as they are documented.

use super::super::policy::{Asked, Barred, Consented, Reason, Source, Verdict};
use super::super::webhooks::{AllWebhooks, SentDelivery, Wanted, WebhookSecret, WebhookView};
use super::operation::{Operation, delete, get, post, put};

pub(super) const WEBHOOKS: (&str, &str) =
    ("Webhooks", "Endpoints that are told what happens, signed as Standard Webhooks.");

pub(super) const POLICY: (&str, &str) = ("Whom calls may ring", "A dry run, and two lists.");

pub(super) fn webhooks() -> Vec<Operation> {
    let no_webhook = &["webhook_not_found"];
    vec![
        post("/v1/webhooks", "makeWebhook", "Have an endpoint told what happens")
            .takes_just::<Wanted>()
            .refuses(400, &["invalid_field"])
            .refuses(409, &["too_many_webhooks"])
            .answers::<WebhookSecret>(201, "Its secret is shown this once.")
            .with(&["Location", "Cache-Control"]),
        get("/v1/webhooks", "listWebhooks", "The endpoints there are")
            .answers::<AllWebhooks>(200, "All of them."),
        get("/v1/webhooks/{id}", "showWebhook", "One endpoint, with its last deliveries")
            .refuses(404, no_webhook)
            .answers::<WebhookView>(200, "With its `deliveries`."),
        delete("/v1/webhooks/{id}", "forgetWebhook", "Tell it nothing any more")
            .refuses(404, no_webhook)
            .stays_silent(204, "It is forgotten."),
        post("/v1/webhooks/{id}/test", "testWebhook", "Send it a `ping`")
            .refuses(404, no_webhook)
            .refuses(409, &["webhook_disabled", "too_many_deliveries"])
            .answers::<SentDelivery>(202, "It is on its way."),
        post("/v1/webhooks/{id}/rotate", "rotateWebhook", "Give it another secret")
            .about("The one before signs too for a day.")
            .refuses(404, no_webhook)
            .answers::<WebhookSecret>(200, "Shown this once.")
            .with(&["Cache-Control"]),
        post("/v1/webhooks/{id}/deliveries/{delivery}/retry", "retryDelivery", "Send one again")
            .refuses(404, &["webhook_not_found", "delivery_not_found"])
            .refuses(409, &["webhook_disabled"])
            .answers::<SentDelivery>(202, "It is on its way."),
    ]
}

pub(super) fn policy() -> Vec<Operation> {
    vec![
        post("/v1/policy/check", "checkPolicy", "What an order would be told now")
            .about("Rings nobody and reserves nothing.")
            .looks()
            .takes_just::<Asked>()
            .answers::<Verdict>(200, "Whether it may be rung, and why not."),
        get("/v1/do-not-call/{number}", "isBarred", "Whether a number must not be rung")
            .refuses(404, &["not_on_the_list"])
            .answers::<Barred>(200, "It must not."),
        put("/v1/do-not-call/{number}", "bar", "Have a number not rung")
            .may_take::<Reason>()
            .answers::<Barred>(200, "It is on the list."),
        delete("/v1/do-not-call/{number}", "unbar", "Take a number off the list")
            .refuses(404, &["not_on_the_list"])
            .stays_silent(204, "It is off."),
        get("/v1/consents/{number}", "hasConsented", "Whether a consent is recorded")
            .refuses(404, &["no_consent"])
            .answers::<Consented>(200, "It is."),
        put("/v1/consents/{number}", "recordConsent", "Record a consent to be rung")
            .takes_just::<Source>()
            .answers::<Consented>(200, "It is recorded."),
        delete("/v1/consents/{number}", "withdrawConsent", "Record that it is withdrawn")
            .refuses(404, &["no_consent"])
            .stays_silent(204, "It is withdrawn."),
    ]
}
