//! Tokens, right and forged.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{EncodingKey, Header, encode};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::carrier::acs::signer::{
    AZURE, ISSUER, NEXT, NOW, RESOURCE, STRANGER, claims, claims_but, message,
};

fn judged(token: &str) -> Result<Audience, Refused> {
    check(token, &AZURE.key(), ISSUER, NOW)
}

fn refusal(token: &str) -> Refused {
    judged(token).expect_err("the token was believed")
}

#[test]
fn a_token_of_azures_is_believed_and_tells_whom_it_is_for() {
    let token = AZURE.token(NOW);
    assert_eq!(key_id(&token).unwrap(), "azure-1");
    let audience = judged(&token).unwrap();
    assert!(audience.includes(RESOURCE));
    assert_eq!(audience.only(), Some(RESOURCE));
    assert!(!format!("{audience:?}").contains(RESOURCE));
}

#[test]
fn a_forged_token_is_refused() {
    assert_eq!(refusal(&STRANGER.token(NOW)), Refused::Signature);
    assert_eq!(refusal(&NEXT.token(NOW)), Refused::Signature);
    let (good, other) = (AZURE.token(NOW), AZURE.sign(&AZURE.header(), &claims(NOW + 1)));
    let signature = good.rsplit_once('.').unwrap().1;
    let message = other.rsplit_once('.').unwrap().0;
    assert_eq!(refusal(&format!("{message}.{signature}")), Refused::Signature);
    assert_eq!(refusal(&format!("{message}.")), Refused::Signature);
}

#[test]
fn a_token_in_another_algorithm_is_refused() {
    let with = |algorithm: &str| json!({ "alg": algorithm, "typ": "JWT", "kid": AZURE.id });
    let unsigned = message(&with("none"), &claims(NOW));
    assert_eq!(refusal(&format!("{unsigned}.")), Refused::Malformed);
    for unknown in ["NONE", "rs256", "", "RS1024"] {
        let token = AZURE.sign(&with(unknown), &claims(NOW));
        assert_eq!(refusal(&token), Refused::Malformed, "{unknown}");
    }
    for other in ["RS384", "RS512", "ES256", "EdDSA", "HS256"] {
        let token = AZURE.sign(&with(other), &claims(NOW));
        assert_eq!(refusal(&token), Refused::Algorithm, "{other}");
    }
    let token = AZURE.sign_with_pss(&with("PS256"), &claims(NOW));
    assert_eq!(refusal(&token), Refused::Algorithm);
    let token = AZURE.sign_with_pss(&AZURE.header(), &claims(NOW));
    assert_eq!(refusal(&token), Refused::Signature);
}

#[test]
fn the_public_key_as_a_shared_secret_signs_nothing() {
    let (n, e) = AZURE.components();
    let body = BASE64.encode(&n);
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&n));
    let secrets: [&[u8]; 5] = [&n, &e, body.as_bytes(), pem.as_bytes(), b""];
    for secret in secrets {
        let header = Header { kid: Some(AZURE.id.to_owned()), ..Header::default() };
        let token = encode(&header, &claims(NOW), &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(refusal(&token), Refused::Algorithm);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let payload = message.split_once('.').unwrap().1;
        let relabelled = BASE64.encode(AZURE.header().to_string());
        assert_eq!(refusal(&format!("{relabelled}.{payload}.{signature}")), Refused::Signature);
    }
}

#[rstest]
#[case::expired(NOW + 306, Refused::Expired)]
#[case::long_expired(NOW + 3_600, Refused::Expired)]
#[case::not_yet(NOW - 6, Refused::Early)]
#[case::before_1970(0, Refused::Early)]
fn outside_its_time_a_token_is_refused(#[case] now: u64, #[case] why: Refused) {
    let refused = check(&AZURE.token(NOW), &AZURE.key(), ISSUER, now).unwrap_err();
    assert_eq!(refused, why);
}

#[test]
fn clocks_may_differ_by_five_seconds() {
    for now in [NOW - 5, NOW, NOW + 300, NOW + 305] {
        check(&AZURE.token(NOW), &AZURE.key(), ISSUER, now).unwrap();
    }
}

#[rstest]
#[case::no_issuer("iss", Value::Null, Refused::Malformed)]
#[case::another_issuer("iss", json!("https://evil.example.com"), Refused::Issuer)]
#[case::nearly_the_issuer("iss", json!(format!("{ISSUER}/")), Refused::Issuer)]
#[case::the_issuer_in_capitals("iss", json!(ISSUER.to_uppercase()), Refused::Issuer)]
#[case::issuers("iss", json!([ISSUER, "https://evil.example.com"]), Refused::Malformed)]
#[case::a_number_for_an_issuer("iss", json!(7), Refused::Malformed)]
#[case::no_audience("aud", Value::Null, Refused::Malformed)]
#[case::a_number_for_an_audience("aud", json!(7), Refused::Malformed)]
#[case::numbers_for_an_audience("aud", json!([7]), Refused::Malformed)]
#[case::an_object_for_an_audience("aud", json!({ "a": RESOURCE }), Refused::Malformed)]
#[case::no_end("exp", Value::Null, Refused::Malformed)]
#[case::an_end_in_words("exp", json!("1795000300"), Refused::Malformed)]
#[case::a_negative_end("exp", json!(-1), Refused::Malformed)]
#[case::a_broken_end("exp", json!(1_795_000_300.5), Refused::Malformed)]
#[case::an_endless_end("exp", json!(1e300), Refused::Malformed)]
#[case::the_last_end("exp", json!(u64::MAX), Refused::Lifetime)]
#[case::ten_years("exp", json!(NOW + 315_360_000), Refused::Lifetime)]
#[case::a_day_and_more("exp", json!(NOW + 90_001), Refused::Lifetime)]
#[case::no_beginning("nbf", Value::Null, Refused::Malformed)]
#[case::a_beginning_in_words("nbf", json!("1795000000"), Refused::Malformed)]
#[case::a_later_beginning("nbf", json!(NOW + 6), Refused::Early)]
#[case::an_early_beginning("nbf", json!(0), Refused::Lifetime)]
#[case::an_end_before_the_beginning("exp", json!(NOW - 1), Refused::Malformed)]
fn a_wrong_claim_is_refused(#[case] name: &str, #[case] value: Value, #[case] why: Refused) {
    let token = AZURE.sign(&AZURE.header(), &claims_but(name, value));
    assert_eq!(refusal(&token), why);
}

#[test]
fn a_media_sockets_token_is_good_for_a_day() {
    let token = AZURE.sign(&AZURE.header(), &claims_but("exp", json!(NOW + 86_400)));
    judged(&token).unwrap();
}

#[rstest]
#[case::near_miss(json!(format!("{RESOURCE} ")))]
#[case::capitals(json!(RESOURCE.to_uppercase()))]
#[case::a_look_alike(json!(RESOURCE.replace('b', "\u{0432}")))]
#[case::nothing(json!(""))]
#[case::an_empty_list(json!([]))]
#[case::a_list_of_others(json!(["a", "b"]))]
fn a_token_for_somebody_else_is_not_ours(#[case] whom: Value) {
    let audience = judged(&AZURE.sign(&AZURE.header(), &claims_but("aud", whom))).unwrap();
    assert!(!audience.includes(RESOURCE));
}

#[test]
fn among_several_nobody_is_the_only_one() {
    let token = AZURE.sign(&AZURE.header(), &claims_but("aud", json!([RESOURCE, "another"])));
    let audience = judged(&token).unwrap();
    assert!(audience.includes(RESOURCE));
    assert_eq!(audience.only(), None);
    let token = AZURE.sign(&AZURE.header(), &claims_but("aud", json!("")));
    assert_eq!(judged(&token).unwrap().only(), None);
}

#[test]
fn keys_in_the_header_are_not_looked_at() {
    let mut header = STRANGER.header();
    header["jwk"] = STRANGER.jwk();
    header["jku"] = json!("https://evil.example.com/keys");
    header["x5u"] = json!("https://evil.example.com/cert");
    assert_eq!(refusal(&STRANGER.sign(&header, &claims(NOW))), Refused::Signature);
    let mut header = AZURE.header();
    header["jku"] = json!("https://evil.example.com/keys");
    judged(&AZURE.sign(&header, &claims(NOW))).unwrap();
}

#[rstest]
#[case::critical("crit", json!(["b64"]), Refused::Header)]
#[case::compressed("zip", json!("DEF"), Refused::Header)]
#[case::encrypted("enc", json!("A256GCM"), Refused::Header)]
#[case::no_key("kid", Value::Null, Refused::Key)]
#[case::an_empty_key("kid", json!(""), Refused::Key)]
#[case::a_long_key("kid", json!("k".repeat(KEY_ID_MAX + 1)), Refused::Key)]
#[case::a_number_for_a_key("kid", json!(7), Refused::Malformed)]
fn a_wrong_header_is_refused(#[case] name: &str, #[case] value: Value, #[case] why: Refused) {
    let mut header = AZURE.header();
    header[name] = value;
    assert_eq!(refusal(&AZURE.sign(&header, &claims(NOW))), why);
}

#[test]
fn claims_given_twice_are_refused() {
    let good = claims(NOW).to_string();
    let twice = good.replacen('{', r#"{"aud":"another","#, 1);
    assert!(twice.matches("aud").count() == 2);
    let header = BASE64.encode(AZURE.header().to_string());
    let token = AZURE.sign_text(&format!("{header}.{}", BASE64.encode(twice)));
    assert_eq!(refusal(&token), Refused::Malformed);
}

#[test]
fn an_oversized_token_is_refused_before_it_is_read() {
    let token = AZURE.sign(&AZURE.header(), &claims_but("pad", json!("x".repeat(TOKEN_MAX))));
    assert_eq!(refusal(&token), Refused::Oversized);
    assert_eq!(refusal(&".".repeat(1_000_000)), Refused::Oversized);
}

#[test]
fn what_is_no_token_is_refused() {
    let good = AZURE.token(NOW);
    let padded = format!("{good}=");
    let trailing = format!("{good}.more");
    for text in ["", ".", "..", "a.b.c", "é.é.é", "{}", &padded, &trailing, &good[1..]] {
        judged(text).expect_err(text);
    }
}

proptest! {
    #[test]
    fn a_token_changed_in_one_place_is_refused(place in 0_usize..700, with in "[A-Za-z0-9_-]") {
        let good = AZURE.token(NOW);
        let place = place % good.len();
        let mut changed = good.clone();
        changed.replace_range(place..=place, &with);
        // The last letter of each part has bits that say nothing; strict base64 refuses them.
        prop_assert!(changed == good || judged(&changed).is_err());
    }

    #[test]
    fn no_text_makes_the_check_fail_otherwise_than_by_refusing(text in "\\PC{0,300}") {
        prop_assert!(judged(&text).is_err());
    }
}
