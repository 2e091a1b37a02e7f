//! An issuer for tests: keys of its own, its JWKS, and tokens of any form, right and wrong.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://acscallautomation.communication.azure.com";
pub(crate) const RESOURCE: &str = "7bb2c1f4-0000-4000-8000-000000000001";

/// Any moment.
pub(crate) const NOW: u64 = 1_795_000_000;

/// Finding keys takes a moment, so all tests share them.
pub(crate) static AZURE: LazyLock<Signer> = LazyLock::new(|| Signer::new("azure-1"));
/// The key that Azure signs with next.
pub(crate) static NEXT: LazyLock<Signer> = LazyLock::new(|| Signer::new("azure-2"));
/// Somebody else's key, under the name of Azure's.
pub(crate) static STRANGER: LazyLock<Signer> = LazyLock::new(|| Signer::new("azure-1"));

/// A key with its id.
pub(crate) struct Signer {
    pub(crate) id: &'static str,
    keys: KeyPair,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        Self { id, keys: KeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    /// Modulus and exponent, out of the `RSAPublicKey` of RFC 8017 §A.1.1, whose layout is fixed
    /// for 2,048 bits.
    pub(crate) fn components(&self) -> (Vec<u8>, Vec<u8>) {
        let der = self.keys.public_key().as_ref();
        (der[9..265].to_vec(), der[267..270].to_vec())
    }

    pub(crate) fn key(&self) -> DecodingKey {
        let (n, e) = self.components();
        DecodingKey::from_rsa_raw_components(&n, &e)
    }

    /// As it stands in a JWKS.
    pub(crate) fn jwk(&self) -> Value {
        let (n, e) = self.components();
        let (n, e) = (BASE64.encode(n), BASE64.encode(e));
        json!({ "kty": "RSA", "use": "sig", "kid": self.id, "n": n, "e": e })
    }

    /// A good token of this moment.
    pub(crate) fn token(&self, now: u64) -> String {
        self.sign(&self.header(), &claims(now))
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "RS256", "typ": "JWT", "kid": self.id })
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_with(&RSA_PKCS1_SHA256, header, claims)
    }

    pub(crate) fn sign_with_pss(&self, header: &Value, claims: &Value) -> String {
        self.sign_with(&RSA_PSS_SHA256, header, claims)
    }

    fn sign_with(&self, how: &'static dyn RsaEncoding, header: &Value, claims: &Value) -> String {
        self.sign_message(how, &message(header, claims))
    }

    /// Signs what may be no claims at all.
    pub(crate) fn sign_text(&self, message: &str) -> String {
        self.sign_message(&RSA_PKCS1_SHA256, message)
    }

    fn sign_message(&self, how: &'static dyn RsaEncoding, message: &str) -> String {
        let mut signature = vec![0; self.keys.public_modulus_len()];
        let random = SystemRandom::new();
        self.keys.sign(how, &random, message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", BASE64.encode(signature))
    }
}

/// What is signed.
pub(crate) fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// The claims of a callback's token, five minutes long.
pub(crate) fn claims(now: u64) -> Value {
    json!({ "iss": ISSUER, "aud": RESOURCE, "iat": now, "nbf": now, "exp": now + 300 })
}

/// Good claims, one of them replaced, or left out when the value is null.
pub(crate) fn claims_but(name: &str, value: Value) -> Value {
    let mut claims = claims(NOW);
    let fields = claims.as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value);
    }
    claims
}

/// A set of keys, as the issuer publishes it.
pub(crate) fn jwks(signers: &[&Signer]) -> String {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}
