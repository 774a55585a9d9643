//! Who asks, and whether they may.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::index::{JobRecord, TokenRecord};
use crate::log;
use crate::service::Service;
use crate::token::{Scope, Token};

/// A scope as a type, so that a handler says in its signature what it needs.
pub(crate) trait Needs: Send + Sync {
    const SCOPE: Scope;
}

/// Needs [`Scope::Read`].
pub(crate) struct Read;
/// Needs [`Scope::Submit`].
pub(crate) struct Submit;
/// Needs [`Scope::Admin`].
pub(crate) struct Admin;

impl Needs for Read {
    const SCOPE: Scope = Scope::Read;
}

impl Needs for Submit {
    const SCOPE: Scope = Scope::Submit;
}

impl Needs for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// The user of a valid token that has the scope.
pub(crate) struct Caller<N> {
    pub user: String,
    is_admin: bool,
    needs: PhantomData<N>,
}

impl<N> Caller<N> {
    /// Whose jobs there are for this caller; of everybody without one.
    pub fn sees(&self) -> Option<&str> {
        if self.is_admin { None } else { Some(&self.user) }
    }

    /// A job that the caller may see.
    pub fn job(&self, service: &Service, id: &str) -> Result<JobRecord, ApiError> {
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let job = if is_id { service.index.job(id, self.sees())? } else { None };
        job.ok_or_else(ApiError::not_found)
    }
}

impl<N: Needs> FromRequestParts<Arc<Service>> for Caller<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, ApiError> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if address.is_some_and(|address| !service.rates.may_try(address)) {
            return Err(ApiError::busy("too many wrong tokens from this address; wait a minute", 60));
        }
        let Some(record) = valid_token(parts, service)? else {
            if let Some(address) = address {
                service.rates.refuse(address);
                log::warning("token_refused", &[("address", &address)]);
            }
            let message =
                "give a valid token: `Authorization: Bearer TOKEN`; `kfold-studio serve token create` makes one";
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message));
        };
        if !service.rates.may_ask(&record.id) {
            return Err(ApiError::busy("too many requests with this token; wait a little", 5));
        }
        let is_admin = record.scopes.contains(&Scope::Admin);
        if !is_admin && !record.scopes.contains(&N::SCOPE) {
            log::warning("scope_refused", &[("user", &record.user), ("needs", &N::SCOPE)]);
            let message = format!("this token lacks the scope `{}`", N::SCOPE);
            return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
        }
        Ok(Self { user: record.user, is_admin, needs: PhantomData })
    }
}

fn valid_token(parts: &Parts, service: &Service) -> Result<Option<TokenRecord>, ApiError> {
    let text = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = text.and_then(|text| text.strip_prefix("Bearer ")).and_then(Token::parse) else {
        return Ok(None);
    };
    Ok(service.index.token(&token.id)?.filter(|record| token.matches(&record.digest) && record.is_valid()))
}
