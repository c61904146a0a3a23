//! An answer's body in pieces.
//!
//! The server copies whatever a body yields at once into a buffer of the connection. A whole document would wait there
//! for a client that does not read, once for each connection; of a body in pieces, one piece waits.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

use super::limits::ANSWER_PIECE;

/// A body that yields at most [`ANSWER_PIECE`] bytes at a time.
struct InPieces {
    body: BoxBody,
    rest: Bytes,
}

/// The same body, in pieces if it is longer than one.
pub(super) fn in_pieces(body: BoxBody) -> BoxBody {
    let short = match body.size() {
        BodySize::None => true,
        BodySize::Sized(length) => usize::try_from(length).is_ok_and(|length| length <= ANSWER_PIECE),
        BodySize::Stream => false,
    };
    if short { body } else { BoxBody::new(InPieces { body, rest: Bytes::new() }) }
}

impl MessageBody for InPieces {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_next(context)) {
                Some(Ok(bytes)) => this.rest = bytes,
                ended => return Poll::Ready(ended),
            }
        }
        let length = this.rest.len().min(ANSWER_PIECE);
        Poll::Ready(Some(Ok(this.rest.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn pieces(mut body: BoxBody) -> Vec<Bytes> {
        let mut context = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| match Pin::new(&mut body).poll_next(&mut context) {
            Poll::Ready(next) => next.map(Result::unwrap),
            Poll::Pending => panic!("a body that is there does not wait"),
        })
        .collect()
    }

    #[test]
    fn a_long_body_comes_in_pieces_and_whole() {
        for length in [0, 1, ANSWER_PIECE, ANSWER_PIECE + 1, 3 * ANSWER_PIECE, 3 * ANSWER_PIECE + 7] {
            let whole: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let body = in_pieces(BoxBody::new(whole.clone()));
            assert_eq!(body.size(), BodySize::Sized(length.try_into().unwrap()));
            let pieces = pieces(body);
            assert!(pieces.iter().all(|piece| piece.len() <= ANSWER_PIECE));
            assert_eq!(pieces.concat(), whole);
        }
    }
}
