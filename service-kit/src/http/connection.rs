//! One connection, with a limit on every way in which its client can keep us waiting.
//!
//! actix-web times the first head of a connection and its idling. It does not time later heads, the rest of a body
//! that nobody reads, or answers that nobody takes, and while many TLS handshakes are open it accepts nobody. So the
//! handshake is ours, and every read and write passes here.
//!
//! A client that keeps us waiting must also be cheap to keep. The server takes two buffers of 8 KiB for each connection,
//! reads on while an answer is not taken, and keeps each request that it has read; so it gets a connection only when a
//! first head is there, one request at a time, and nothing while it answers. What it does not get waits in the kernel.

use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use actix_web::web::BytesMut;
use identity_core::problem::{Code, Lang};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    door::{Door, Ticket},
    limits::{self, Limits},
    peer::{Peer, Proxies},
};

/// What lets connections in, of one server.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) door: Arc<Door>,
    pub(super) proxies: Proxies,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
}

impl Entrance {
    /// Lets a connection in and shakes hands.
    ///
    /// # Errors
    /// Its peer has too many, or the handshake failed or took too long; whoever it was gets no word.
    pub(super) async fn let_in(&self, stream: TcpStream) -> io::Result<(Connection, Option<SocketAddr>)> {
        let from = stream.peer_addr()?;
        // Answers are written whole; waiting for more to send would only delay them.
        stream.set_nodelay(true)?;
        let peer = if self.proxies.contains(from.ip()) { None } else { Some(Peer::of(from.ip())) };
        let too_many = || io::Error::new(io::ErrorKind::ConnectionRefused, "too many connections of one address");
        let ticket = self.door.let_in(peer).ok_or_else(too_many)?;
        let wire = match &self.tls {
            None => Wire::Plain(stream),
            Some(tls) => {
                // Boxed: the state of a handshake is large, and a connection has it for a moment only.
                let mut handshake = Box::pin(shake_hands(tls, stream));
                let watched = std::future::poll_fn(|context| {
                    ticket.check(context)?;
                    handshake.as_mut().poll(context)
                });
                let shaken = timeout(self.limits.handshake, watched).await;
                Wire::Tls(Box::new(shaken.map_err(|_| io::ErrorKind::TimedOut)??))
            }
        };
        let now = Instant::now();
        let talk = Rc::new(Talk {
            ticket,
            turn: Cell::new(Turn::Head { since: now }),
            reader: Cell::default(),
            limits: self.limits.clone(),
        });
        let alarm = Box::pin(sleep_until(now + self.limits.head));
        Ok((Connection { wire, talk, alarm, blocked_since: None, early: BytesMut::new(), gave: false }, Some(from)))
    }
}

async fn shake_hands(tls: &TlsAcceptor, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    first_record(&stream).await?;
    tls.accept_with(stream, |session| session.set_buffer_limit(Some(limits::SEALED_BUFFER))).await
}

/// Returns when the first record of a handshake is here, still in the kernel: a client that sends it slowly costs us a
/// socket. Whatever is no such record is left for the handshake to refuse.
async fn first_record(stream: &TcpStream) -> io::Result<()> {
    /// Type, version and length.
    const HEADER: u16 = 5;
    const HANDSHAKE: u8 = 22;
    await_bytes(stream, HEADER).await?;
    let mut header = [0; 5];
    if stream.peek(&mut header).await? == header.len()
        && let [HANDSHAKE, _, _, high, low] = header
    {
        let length = u16::from_be_bytes([high, low]).min(limits::FIRST_RECORD);
        await_bytes(stream, HEADER.saturating_add(length)).await?;
    }
    Ok(())
}

/// Returns when so many bytes are in the kernel's buffer, or no more will come.
async fn await_bytes(stream: &TcpStream, wanted: u16) -> io::Result<()> {
    loop {
        let ready = stream.ready(Interest::READABLE).await?;
        // Within `try_io`, so that bytes which come just now wake us again.
        let here =
            stream.try_io(Interest::READABLE, || match rustix::io::ioctl_fionread(stream)? < u64::from(wanted) {
                true => Err(io::ErrorKind::WouldBlock.into()),
                false => Ok(()),
            });
        match here {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if ready.is_read_closed() {
                    return Ok(());
                }
            }
            here => return here,
        }
    }
}

/// Whose turn it is on a connection, shared between the connection and whoever answers its requests.
pub(super) struct Talk {
    ticket: Arc<Ticket>,
    turn: Cell<Turn>,
    /// Whoever wants to read when it is the client's turn again.
    reader: Cell<Option<Waker>>,
    limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The client's: a head has begun, or must.
    Head { since: Instant },
    /// The client's, after an answer: nothing of a next request has come.
    Idle { since: Instant },
    /// The client's: we want its body, which has a limit of its own.
    Body,
    /// Ours.
    Ours,
    /// Nobody's: its body was given up, so nothing that comes can be read, and it ends with our answer.
    Over { since: Option<Instant> },
}

impl Talk {
    /// A head is complete: from now on the client waits for us.
    pub(super) fn begin(&self) {
        self.turn.set(Turn::Ours);
        self.ticket.waits_for_us();
    }

    /// We want the body.
    pub(super) fn await_body(&self) {
        self.turn.set(Turn::Body);
        self.ticket.waits_for_client();
        self.go_on_reading();
    }

    /// The body is here.
    pub(super) fn resume(&self) {
        self.turn.set(Turn::Ours);
        self.ticket.waits_for_us();
    }

    /// The body will not be read to its end.
    pub(super) fn give_up(&self) {
        self.turn.set(Turn::Over { since: None });
        self.go_on_reading();
    }

    /// There is an answer: the client's turn again.
    pub(super) fn end(&self) {
        let since = Instant::now();
        self.turn.set(match self.turn.get() {
            Turn::Over { .. } => Turn::Over { since: Some(since) },
            Turn::Head { .. } | Turn::Idle { .. } | Turn::Body | Turn::Ours => Turn::Idle { since },
        });
        self.ticket.waits_for_client();
        self.go_on_reading();
    }

    /// Time that bodies may take beside what their size gives them.
    pub(super) fn body_grace(&self) -> Duration {
        self.limits.body_grace
    }

    fn pause_reading(&self, context: &Context<'_>) {
        self.reader.set(Some(context.waker().clone()));
    }

    fn go_on_reading(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn hear(&self) {
        if matches!(self.turn.get(), Turn::Idle { .. }) {
            self.turn.set(Turn::Head { since: Instant::now() });
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.turn.get() {
            Turn::Head { since } => Some(since + self.limits.head),
            // The server hangs up by itself when a connection idles; this is for what it takes for more than idling.
            Turn::Idle { since } => Some(since + self.limits.keep_alive + limits::DISCONNECT),
            Turn::Over { since } => since.map(|since| since + limits::DISCONNECT),
            Turn::Body | Turn::Ours => None,
        }
    }
}

/// A connection under way.
pub(super) struct Connection {
    wire: Wire,
    talk: Rc<Talk>,
    alarm: Pin<Box<Sleep>>,
    /// Since when the client has not taken what we want to send.
    blocked_since: Option<Instant>,
    /// What came and has not been given to the server.
    early: BytesMut,
    /// Whether the server got a portion at its last read.
    gave: bool,
}

impl Connection {
    /// Returns when the first head is here, or so much that it may be: until then a client costs us no buffers of the
    /// server.
    ///
    /// # Errors
    /// As reading: it did not come in time, or the connection has to go.
    pub(super) async fn await_head(&mut self) -> io::Result<()> {
        while end_of_head(&self.early).is_none() && self.early.len() < limits::PORTION {
            if std::future::poll_fn(|context| self.poll_early(context)).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Adds a portion to what came early and answers its length: 0 at the end.
    fn poll_early(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut portion = [0; limits::PORTION];
        let mut buffer = ReadBuf::new(&mut portion);
        let read = Pin::new(&mut self.wire).poll_read(context, &mut buffer);
        // What came in time counts; only who keeps us waiting is looked at.
        if read.is_pending() {
            self.check(context)?;
        }
        ready!(read)?;
        if !buffer.filled().is_empty() {
            self.talk.hear();
            self.early.extend_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// For those who answer its requests.
    pub(super) fn talk(&self) -> Rc<Talk> {
        Rc::clone(&self.talk)
    }

    /// Fails when the connection has to go; otherwise wakes the task when it has to.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.talk.ticket.check(context)?;
        let not_taken = self.blocked_since.map(|since| since + self.talk.limits.answer);
        let awaited = match self.talk.turn.get() {
            // A client that is still taking an answer owes no request.
            Turn::Head { .. } | Turn::Idle { .. } if not_taken.is_some() => None,
            _ => self.talk.deadline(),
        };
        let Some(deadline) = [not_taken, awaited].into_iter().flatten().min() else { return Ok(()) };
        if self.alarm.deadline() != deadline {
            self.alarm.as_mut().reset(deadline);
        }
        if self.alarm.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        if self.blocked_since.is_none() && matches!(self.talk.turn.get(), Turn::Head { .. }) {
            // One try is enough: whoever has room for nothing gets nothing.
            let _told = Pin::new(&mut self.wire).poll_write(context, too_slow().as_bytes());
            let _flushed = Pin::new(&mut self.wire).poll_flush(context);
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn note<T>(&mut self, written: &Poll<T>) {
        match written {
            Poll::Pending => _ = self.blocked_since.get_or_insert_with(Instant::now),
            Poll::Ready(_) => {
                if self.blocked_since.take().is_some() {
                    self.talk.go_on_reading();
                }
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The server would keep, in its own larger form, whatever comes while it answers.
        if self.blocked_since.is_some() || self.talk.turn.get() == Turn::Ours {
            self.talk.pause_reading(context);
            self.check(context)?;
            return Poll::Pending;
        }
        // It looks at each portion before it gets the next.
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.early.is_empty() && ready!(self.poll_early(context))? == 0 {
            return Poll::Ready(Ok(()));
        }
        let portion = end_of_head(&self.early).unwrap_or(self.early.len()).min(buffer.remaining());
        buffer.put_slice(&self.early.split_to(portion));
        if self.early.is_empty() {
            // Its memory, too.
            self.early = BytesMut::new();
        }
        self.gave = true;
        Poll::Ready(Ok(()))
    }
}

/// Where the first head in `bytes` ends, if one does; in a body it may seem so, which does no harm.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    bytes.windows(END.len()).position(|window| window == END).map(|start| start.saturating_add(END.len()))
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.wire).poll_write(context, bytes);
        // Taking a little is not taking the answer: only a flush, or a write that goes through at once, ends the wait.
        if written.is_pending() {
            self.note(&written);
            self.check(context)?;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.wire).poll_flush(context);
        self.note(&flushed);
        // Also after an answer that went through at once: from then on we wait, and nothing else may wake us.
        self.check(context)?;
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.wire).poll_shutdown(context);
        self.note(&shut);
        if shut.is_pending() {
            self.check(context)?;
        }
        shut
    }
}

/// What a head that does not arrive is answered.
fn too_slow() -> String {
    let code = Code::HttpHeadTooSlow;
    let body = serde_json::json!({
        "type": "about:blank",
        "title": code.title(Lang::En),
        "status": code.status(),
        "code": code.as_str(),
        "remedy": code.remedy(Lang::En),
    })
    .to_string();
    format!(
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What bytes travel over.
enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests;
