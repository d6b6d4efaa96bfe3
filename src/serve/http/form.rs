//! Reading the body of a form: all of it, but never more than a form needs.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_TYPE, HeaderMap};

use super::limits::FORM_BYTES;

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadForm {
    /// It is not `application/x-www-form-urlencoded`, or says twice what it is.
    Kind,
    /// It is longer than [`FORM_BYTES`].
    TooLong,
    /// It ended early, or was no body.
    Broken,
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// The bytes of a form, for `form_urlencoded::parse`. How long this may take is watched by the connection's seat.
pub async fn read<B>(headers: &HeaderMap, body: B) -> Result<Bytes, BadForm>
where
    B: Body<Data = Bytes, Error = hyper::Error>,
{
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else { return Err(BadForm::Kind) };
    let kind = kind.as_bytes();
    let bare = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    if !bare.trim_ascii().eq_ignore_ascii_case(FORM) {
        return Err(BadForm::Kind);
    }
    if body.size_hint().lower() > FORM_BYTES as u64 {
        return Err(BadForm::TooLong);
    }
    match Limited::new(body, FORM_BYTES).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BadForm::TooLong),
        Err(_) => Err(BadForm::Broken),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use hyper::header::HeaderValue;

    use super::*;

    fn read_now(kinds: &[&'static str], length: usize) -> Result<usize, BadForm> {
        let mut headers = HeaderMap::new();
        for kind in kinds {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let body = Full::new(Bytes::from(vec![b'a'; length])).map_err(|never| match never {});
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read(&headers, body)).map(|bytes| bytes.len())
    }

    #[test]
    fn a_form_of_the_right_kind_and_length_is_read() {
        let form = "Application/x-www-form-urlencoded; charset=UTF-8";
        assert_eq!(read_now(&[form], 0), Ok(0));
        assert_eq!(read_now(&[form], FORM_BYTES), Ok(FORM_BYTES));
        assert_eq!(read_now(&[form], FORM_BYTES + 1), Err(BadForm::TooLong));
        assert_eq!(read_now(&["application/json"], 1), Err(BadForm::Kind));
        assert_eq!(read_now(&["application/x-www-form-urlencodedx"], 1), Err(BadForm::Kind));
        assert_eq!(read_now(&[], 1), Err(BadForm::Kind));
        assert_eq!(
            read_now(&[form, "application/json"], 1),
            Err(BadForm::Kind),
            "two readers may take either"
        );
    }
}
