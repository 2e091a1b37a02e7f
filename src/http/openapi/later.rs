//! Searches and schedules, as they are documented.

use super::super::approvals::{self, Asked, Waiting};
use super::super::calls::view::PlacedCall;
use super::super::campaigns::view::{CampaignPage, Made, Whole as Campaign};
use super::super::campaigns::{Call, Change, New};
use super::super::schedules::{ScheduleView, Schedules};
use super::super::searches::order::Search;
use super::super::searches::view::{Begun, Choice, SearchPage, Short, Whole};
use super::super::searches::{Choose, Listing};
use super::operation::{Operation, delete, event, get, patch, post};
use crate::schedule::Spec;

pub(super) const SEARCHES: (&str, &str) =
    ("Searches", "Several are asked the same; what they say is compared, and one is chosen.");

pub(super) const APPROVALS: (&str, &str) =
    ("Approvals", "A human decides by phone whether something is done.");

pub(super) const CAMPAIGNS: (&str, &str) =
    ("Campaigns", "What is kept across several calls about one purpose.");

pub(super) const SCHEDULES: (&str, &str) = ("Schedules", "Calls that are made later.");

pub(super) fn searches() -> Vec<Operation> {
    let no_search = &["search_not_found"];
    vec![
        post("/v1/searches", "beginSearch", "Ask several the same")
            .once()
            .takes::<Search>()
            .names_callees()
            .refuses(400, &["invalid_field", "could_commit"])
            .refuses(404, &["campaign_not_found"])
            .answers::<Begun>(202, "The first are rung at once.")
            .with(&["Location", "Idempotent-Replayed"]),
        get("/v1/searches", "listSearches", "Searches, newest first")
            .asks::<Listing>()
            .refuses(400, &["invalid_field"])
            .answers::<SearchPage>(200, "A page of them."),
        get("/v1/searches/{id}", "showSearch", "One search")
            .refuses(404, no_search)
            .answers::<Whole>(200, "As far as it is, with what was found."),
        get("/v1/searches/{id}/events", "getSearchEvents", "A search as it goes on")
            .about(
                "Events of the name `search`, each with the whole search as `data`, at every \
                 change, until nothing will come any more; `alive` where nothing comes for 5 s.",
            )
            .refuses(404, no_search)
            .shows(200, "As it happens.", vec![("text/event-stream", event)]),
        post("/v1/searches/{id}/stop", "stopSearch", "Ring nobody more")
            .about("Ends the calls that ask, too. One that is over already is a success.")
            .refuses(404, no_search)
            .answers::<Short>(202, "It is stopped, or was over."),
        post("/v1/searches/{id}/choose", "chooseOffer", "Take an offer")
            .about("Rings the target again. Whoever is first decides; the same again is told.")
            .takes_just::<Choose>()
            .rings()
            .refuses(404, no_search)
            .refuses(409, &["nothing_to_choose", "chosen_before", "taken_before"])
            .answers::<Choice>(202, "The call that takes it.")
            .with(&["Idempotent-Replayed"]),
    ]
}

pub(super) fn approvals() -> Vec<Operation> {
    vec![
        post("/v1/approvals", "askApproval", "Have an operation accepted or declined by phone")
            .about(
                "Rings the phone of the account. Everything but a clear yes of a human within \
                 five minutes declines it. Whoever runs the server may name another phone.",
            )
            .once()
            .takes::<Asked>()
            .rings()
            .refuses(400, &["invalid_field"])
            .refuses(403, &["not_your_phone"])
            .answers::<approvals::Begun>(202, "Somebody is rung.")
            .with(&["Location", "Idempotent-Replayed"]),
        get("/v1/approvals/{id}", "showApproval", "How an approval stands")
            .asks::<Waiting>()
            .refuses(404, &["call_not_found", "approval_not_found"])
            .answers::<approvals::View>(200, "As it stands, or as it was decided meanwhile."),
    ]
}

pub(super) fn campaigns() -> Vec<Operation> {
    let no_campaign = &["campaign_not_found"];
    vec![
        post(
            "/v1/campaigns",
            "makeCampaign",
            "Keep what several calls about one purpose are about",
        )
        .about("Rings nobody.")
        .once()
        .takes::<New>()
        .names_callees()
        .refuses(400, &["invalid_field"])
        .answers::<Made>(201, "It is kept.")
        .with(&["Location", "Idempotent-Replayed"]),
        get("/v1/campaigns", "listCampaigns", "Campaigns, newest first")
            .asks::<Listing>()
            .refuses(400, &["invalid_field"])
            .answers::<CampaignPage>(200, "A page of them."),
        get("/v1/campaigns/{id}", "showCampaign", "Where each target of one stands")
            .refuses(404, no_campaign)
            .answers::<Campaign>(200, "Each word with the call that says so."),
        patch("/v1/campaigns/{id}", "changeCampaign", "Change what is kept, or decide")
            .takes_just::<Change>()
            .refuses(400, &["invalid_field"])
            .refuses(404, no_campaign)
            .answers::<Campaign>(200, "As it is from now on."),
        delete("/v1/campaigns/{id}", "forgetCampaign", "Forget one")
            .about("Its calls and searches stay.")
            .refuses(404, no_campaign)
            .silent(204, "It is forgotten."),
        post("/v1/campaigns/{id}/calls", "callTarget", "Ring a target of one")
            .about("The call knows what is kept, and what was said there before.")
            .once()
            .takes::<Call>()
            .rings()
            .refuses(400, &["invalid_field"])
            .refuses(404, no_campaign)
            .refuses(409, &["call_under_way"])
            .answers::<PlacedCall>(202, "The call is written down and will be made.")
            .with(&["Location", "Idempotent-Replayed"]),
    ]
}

pub(super) fn schedules() -> Vec<Operation> {
    let no_schedule = &["schedule_not_found"];
    vec![
        post("/v1/schedules", "makeSchedule", "Have somebody rung later")
            .about("Give `at` (once) or `cron` (again and again), not both.")
            .once()
            .takes::<Spec>()
            .names_callees()
            .refuses(400, &["invalid_field"])
            .refuses(409, &["schedules_full"])
            .answers::<ScheduleView>(201, "When it comes first is `next_at`.")
            .with(&["Location", "Idempotent-Replayed"]),
        get("/v1/schedules", "listSchedules", "What is to come, the next first")
            .answers::<Schedules>(200, "All of it."),
        get("/v1/schedules/{id}", "showSchedule", "One schedule, with what came of it")
            .refuses(404, no_schedule)
            .answers::<ScheduleView>(200, "With its `history`."),
        delete("/v1/schedules/{id}", "cancelSchedule", "Have nothing of it come any more")
            .refuses(404, no_schedule)
            .silent(204, "Its history stays."),
    ]
}
