import FoundationEssentials
import Glibc
package import Logging
import Posix
package import Store
import Tracing
import Units

/// Brings the mails of the outbox to their server, each as a job: tried again until it was taken, its time is over, or the server has refused
/// it for good.
package final class Postman: Sendable {
    private struct State {
        /// Taken by the server, and not yet stored as such: not sent again by this process.
        var taken: Set<MailID> = []
        /// Nobody is kept waiting by a server that does not answer: mails that are due meanwhile are put off.
        var away: (until: Timestamp, reason: String)?
    }

    /// A server that was not there is left alone for so long.
    private static let pause = Duration.seconds(5)

    private let store: ControlStore
    private let server: MailServer
    private let log: Log
    private let state = Guarded(State())

    package init(_ store: ControlStore, _ server: MailServer, log: Log) {
        self.store = store
        self.server = server
        self.log = log.part("mail")
    }

    /// The server was away a moment ago: this mail was not tried.
    private struct PutOff: Error, CustomStringConvertible {
        let reason: String
        var description: String { "put off: \(reason)" }
    }

    /// A job of the kind `Outbox.kind`.
    package func deliver(_ job: Job) async throws -> String? {
        guard let mail = try await store.outbox.find(job) else { return "there is nothing to send any more" }
        guard !state.withLock({ $0.taken.contains(mail.id) }) else { return try await taken(mail) }
        guard store.now < mail.expiresAt else { return try await giveUp(mail, .late, job.result ?? "") }
        let now = store.now
        let away = state.withLock { state -> String? in
            guard let away = state.away, now < away.until, away.until <= now + Self.pause else { return nil }
            return away.reason
        }
        if let away { throw PutOff(reason: away) }
        do {
            try await send(mail)
        } catch let error as SMTPError where !error.isFinal {
            if error.reply == 0 { state.withLock { $0.away = (store.now + Self.pause, error.description) } }
            log.warning(
                "a mail was not taken; it is tried again",
                ["mail": "\(mail.id)", "purpose": "\(mail.content.purpose.rawValue)", "attempt": "\(job.attempts)", "error": "\(error)"])
            throw error
        } catch {
            return try await giveUp(mail, error is HeaderFault ? .unwritable : .refused, "\(error)")
        }
        state.withLock { _ = $0.taken.insert(mail.id) }
        return try await taken(mail)
    }

    /// Whether the server would take mails now: connects and signs in, and sends none.
    ///
    /// - Throws: `SMTPError`; the server's own words stand in the program's log.
    package func greet() async throws {
        let server = self.server
        do {
            try await Self.onThread { try SMTPConversation().greet(server) }
        } catch {
            log.warning("the mail server does not take us", ["error": "\(error)"])
            throw error
        }
    }

    private func taken(_ mail: StoredMail) async throws -> String? {
        try await store.outbox.sent(mail)
        state.withLock { _ = $0.taken.remove(mail.id) }
        log.info("a mail was sent", ["mail": "\(mail.id)", "purpose": "\(mail.content.purpose.rawValue)"])
        return nil
    }

    /// - Parameter error: what the last attempt ended with, the server's own words among it: for the operator's log alone.
    private func giveUp(_ mail: StoredMail, _ end: MailEnd, _ error: String) async throws -> String? {
        try await store.outbox.giveUp(mail, because: end)
        log.error(
            "a mail was given up",
            ["mail": "\(mail.id)", "purpose": "\(mail.content.purpose.rawValue)", "reason": "\(end.rawValue)", "error": "\(error)"])
        return "given up: \(end.rawValue)"
    }

    /// - Throws: `SMTPError`, or what cannot be written as a mail.
    private func send(_ mail: StoredMail) async throws {
        guard let to = MailAddress(mail.content.to) else { throw HeaderFault(field: "to") }
        let bytes = try MailMessage(
            from: server.from, fromName: server.fromName, to: to, subject: mail.content.subject, text: mail.content.text,
            html: mail.content.html, id: mail.id.text, unixSeconds: mail.createdAt.unixSeconds
        ).bytes()
        let server = self.server
        let span = Tracer.current?.child("SMTP", .client)
        defer { span?.end() }
        do {
            try await Self.onThread { try SMTPConversation().send(bytes, to: to, by: server) }
        } catch {
            span?.fail()
            throw error
        }
    }

    static func onThread(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let errand = Unmanaged.passRetained(Errand { continuation.resume(with: Result { try work() }) })
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Errand>.fromOpaque(context).takeRetainedValue().work() }
                    return nil
                }, errand.toOpaque())
            guard code == 0 else {
                errand.release()
                return continuation.resume(throwing: SMTPError(function: "pthread_create", code: code, reply: 0, reason: "no thread"))
            }
            pthread_detach(thread)
        }
    }
}

/// What one thread does.
private final class Errand: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}
