//! One connection, with a limit on every way in which its client can keep us waiting.
//!
//! actix-web times the first head of a connection and its idling. It does not time later heads, the rest of a body
//! that nobody reads, or answers that nobody takes, and while many TLS handshakes are open it accepts nobody. So the
//! handshake is ours, and every read and write passes here.
//!
//! A client that keeps us waiting must also be cheap to keep. The server takes buffers as soon as it gets a connection, so
//! it gets one only when a first head is there; and it gets nothing of a next request while it answers, or while its
//! answer is not taken. What it does not get waits in the kernel, and a little of it in an [`Inbox`].

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

use identity_core::problem::{Code, Lang};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    door::{Door, Ticket},
    inbox::Inbox,
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
    /// Lets a connection in, shakes hands, and waits for the first head.
    ///
    /// # Errors
    /// Its peer has too many, or the handshake failed or took too long: whoever it was gets no word. Or no head came in
    /// time.
    pub(super) async fn let_in(&self, stream: TcpStream) -> io::Result<(Connection, Option<SocketAddr>)> {
        let from = stream.peer_addr()?;
        // Answers are written whole; waiting for more to send would only delay them.
        stream.set_nodelay(true)?;
        send_little_ahead(&stream)?;
        let peer = if self.proxies.contains(from.ip()) { None } else { Some(Peer::of(from.ip())) };
        let too_many = || io::Error::new(io::ErrorKind::ConnectionRefused, "too many connections of one address");
        let ticket = self.door.let_in(peer).ok_or_else(too_many)?;
        let wire = match &self.tls {
            None => Wire::Plain(stream),
            Some(tls) => {
                // Boxed: a connection takes its room for a moment only.
                let mut handshake =
                    Box::pin(tls.accept_with(stream, |session| session.set_buffer_limit(Some(limits::SEALED_BUFFER))));
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
        let mut connection =
            Connection { wire, talk, alarm, blocked_since: None, inbox: Inbox::default(), gave: false };
        connection.await_head().await?;
        connection.talk.ticket.come_in();
        Ok((connection, Some(from)))
    }
}

/// Keeps the kernel from taking more than [`limits::SENT_AHEAD`] for a client that does not read.
fn send_little_ahead(stream: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(limits::SENT_AHEAD)?;
    #[cfg(not(target_os = "linux"))]
    let _unlimited = stream;
    Ok(())
}

/// Whose turn it is on a connection, shared between the connection and whoever answers its requests.
pub(super) struct Talk {
    ticket: Arc<Ticket>,
    turn: Cell<Turn>,
    /// Whoever waits to read until it may.
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

    /// We want the body, and it is not here.
    pub(super) fn await_body(&self) {
        self.turn.set(Turn::Body);
        self.ticket.waits_for_client();
        self.go_on_reading();
    }

    /// The body is here, or nothing more of it comes.
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

    /// The client has taken what we could not send before; its time for a next request begins when it has all.
    fn taken(&self) {
        if matches!(self.turn.get(), Turn::Idle { .. }) {
            self.turn.set(Turn::Idle { since: Instant::now() });
        }
        self.go_on_reading();
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
    /// What came and the server has not got.
    inbox: Inbox,
    /// Whether the server got a portion that it has not looked at.
    gave: bool,
}

impl Connection {
    /// Returns when a first head is there, or so much of one that the server may look at it, or nothing more will come.
    async fn await_head(&mut self) -> io::Result<()> {
        while !self.inbox.is_worth_a_look() && std::future::poll_fn(|context| self.poll_fill(context)).await? > 0 {}
        Ok(())
    }

    /// Fetches what has come, at most a portion, and answers how much it is: nothing at the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut portion = [0; limits::PORTION];
        let mut portion = ReadBuf::new(&mut portion);
        let read = Pin::new(&mut self.wire).poll_read(context, &mut portion);
        // What came in time counts; only who keeps us waiting is looked at.
        if read.is_pending() {
            self.check(context)?;
        }
        ready!(read)?;
        self.inbox.add(portion.filled());
        Poll::Ready(Ok(portion.filled().len()))
    }

    /// For those who answer its requests.
    pub(super) fn talk(&self) -> Rc<Talk> {
        Rc::clone(&self.talk)
    }

    /// Fails when the connection has to go; otherwise wakes the task when it has to.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.talk.ticket.check(context)?;
        let deadline = match self.blocked_since {
            // Who is still taking an answer owes no request.
            Some(since) => Some(since + self.talk.limits.answer),
            None => self.talk.deadline(),
        };
        let Some(deadline) = deadline else { return Ok(()) };
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
                    self.talk.taken();
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
        // The server would keep, in a larger form of its own, whatever comes while it answers.
        if self.blocked_since.is_some() || self.talk.turn.get() == Turn::Ours {
            self.talk.pause_reading(context);
            self.check(context)?;
            return Poll::Pending;
        }
        let gave = std::mem::take(&mut self.gave);
        if self.inbox.is_empty() && ready!(self.poll_fill(context))? == 0 {
            return Poll::Ready(Ok(()));
        }
        if gave {
            // It looks at each portion before it gets the next.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.talk.hear();
        buffer.put_slice(&self.inbox.take(buffer.remaining()));
        self.gave = true;
        Poll::Ready(Ok(()))
    }
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
