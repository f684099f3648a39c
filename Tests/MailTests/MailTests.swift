import Configuration
import Crypto
import Foundation
import Logging
import Posix
@testable import Store
import Support
import Testing
import Units

@testable import Mail

@Suite("A mail")
struct MailTests {
    private static func message(subject: String = "Hello", name: String = "Strata", text: String = "x") throws -> String {
        let message = MailMessage(
            from: try #require(MailAddress("strata@example.org")), fromName: name, to: try #require(MailAddress("a@example.org")),
            subject: subject, text: text, html: "", id: "1", unixSeconds: 784_111_777)
        return String(decoding: try message.bytes(), as: UTF8.self)
    }

    @Test("has no header but its own, whatever a name or a subject says")
    func injection() throws {
        for hostile in ["a\r\nBcc: x@example.org", "a\nb", "a\u{0}", "a\u{202e}b", "a\u{2028}b", "\u{1b}[2J", "a\rb"] {
            #expect(throws: HeaderFault.self) { try Self.message(subject: hostile) }
            #expect(throws: HeaderFault.self) { try Self.message(name: hostile) }
            #expect(MailAddress("a\(hostile)@example.org") == nil && MailAddress("a@example.org\(hostile)") == nil)
        }
        // What would end the words of a command, or of a list.
        for hostile in [
            "a@b> NOTIFY=NEVER", "<a@b>", "a@b,c@d", "\"a b\"@c", "a@[127.0.0.1]", "a@b@c", ".a@b", "a..b@c", "@b", "a@", "ü@b", "a@-b",
        ] {
            #expect(MailAddress(hostile) == nil, "\(hostile)")
        }
        for good in ["a.b+c@example.org", "o'neil@sub.example.org", "a@localhost"] { #expect(MailAddress(good)?.text == good) }
        #expect(try Self.message(subject: "=?UTF-8?B?QQ==?=").contains("Subject: =?UTF-8?B?PT9"), "an encoded word stays what it says")
        #expect(try Self.message().contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 +0000\r\n"))
    }

    @Test("has no markup but its own, also where a scalar takes part of it into one character with it")
    func markup() {
        for (words, expected) in [
            ("\u{0D4E}<b\u{0D4E}>", "\u{0D4E}&lt;b\u{0D4E}&gt;"), ("\"\u{301}", "&quot;\u{301}"), ("<\u{338}", "&lt;\u{338}"),
            ("a&b'c", "a&amp;b&#39;c"), ("\u{600}&\u{FE0F}é\r\n", "\u{600}&amp;\u{FE0F}é\r\n"),
        ] {
            #expect(Letters.escaped(words).utf8.elementsEqual(expected.utf8), "\(expected)")
        }
    }

    @Test("is read by another reader as it was written, with lines that every server takes")
    func words() async throws {
        let subject = "Einladung: “Größe” – 配信 🎥 " + String(repeating: "längst ", count: 20) + "Ende"
        let text = ".\n..\nFrom here = there \n\(String(repeating: "é", count: 400))\rx\n--=_strata_part--\ntab\tend\u{0} 🎥"
        try await onStage { stage in
            let peer = try await MailPeer(on: stage)
            let mail = MailMessage(
                from: try #require(MailAddress("strata@example.org")), fromName: "Studio \"Süd\", <x@y>",
                to: try #require(MailAddress("a@example.org")), subject: subject, text: text, html: "<p>\(text)</p>", id: "1",
                unixSeconds: 784_111_777)
            try await deliver(try mail.bytes(), to: peer.port)
            let taken = try await peer.first
            #expect(taken.headers["Subject"] == subject && taken.defects == [] && taken.longest <= 76)
            #expect(taken.headers["From"]?.contains("Süd") == true && taken.from == "strata@example.org" && taken.to == ["a@example.org"])
            #expect(taken.headers["Message-ID"] == "<1@example.org>")
            // Its reader ends lines with \n alone; the last end is the boundary's (RFC 2046 section 5.1.1).
            func read(_ text: String) -> String { text.replacingOccurrences(of: "\r\n", with: "\n") }
            #expect(read(taken.text) == read(text) && read(taken.html) == read("<p>\(text)</p>"))
        }
    }

    private func deliver(_ bytes: [UInt8], to port: Int) async throws {
        let from = try #require(MailAddress("strata@example.org")), to = try #require(MailAddress("a@example.org"))
        let server = MailServer(place: HostPort(host: "127.0.0.1", port: port), security: .none, from: from, timeout: .seconds(10))
        try await Task { try SMTPConversation().send(bytes, to: to, by: server) }.value
    }

    // MARK: The server

    @Test("goes by STARTTLS or TLS with a login, and to no server whose certificate or login is not right")
    func secured() async throws {
        try await onStage { stage in
            let certificate = try await PlatformCertificate()
            let files = [certificate.chain, certificate.key]
            for (security, word) in [(MailServer.Security.starttls, "--starttls"), (.tls, "--tls")] {
                let peer = try await MailPeer(on: stage, [word] + files + ["--login", "user", "pass word"])
                let post = try await Post(port: peer.port)
                func attempt(_ password: String, _ authority: String?) async throws -> String? {
                    try await post.attempt(security: security, user: "user", password: password, authority: authority)
                }
                func greet(_ password: String, _ authority: String?) async throws {
                    try await post.greet(security: security, user: "user", password: password, authority: authority)
                }
                await #expect(throws: SMTPError.self) { try await attempt("pass word", nil) }
                await #expect(throws: SMTPError.self) { try await attempt("wrong", certificate.authority) }
                // The same where it is only asked how it is.
                await #expect(throws: SMTPError.self) { try await greet("pass word", nil) }
                await #expect(throws: SMTPError.self) { try await greet("wrong", certificate.authority) }
                try await greet("pass word", certificate.authority)
                #expect(try peer.mails.isEmpty)
                #expect(try await attempt("pass word", certificate.authority) == nil)
                let taken = try await peer.first
                #expect(taken.user == "user" && taken.text.contains("token=0pensIt"))
                #expect(try await post.outcome() == "sent")
                try await peer.end()
            }
            // A server without TLS is not talked to in clear.
            let plain = try await MailPeer(on: stage)
            let post = try await Post(port: plain.port)
            await #expect(throws: SMTPError.self) { try await post.attempt(security: .starttls) }
            #expect(try plain.mails.isEmpty)
        }
    }

    @Test("waits in the outbox for a server that is away, lies there sealed, and is sent once")
    func away() async throws {
        try await onStage { stage in
            let port = try FreePorts.tcp()
            let post = try await Post(port: port)
            let stored = try post.stored()
            for word in ["0pensIt", "a@example.org"] { #expect(stored.range(of: Data(word.utf8)) == nil) }
            await #expect(throws: SMTPError.self) { try await post.attempt() }
            let peer = try await MailPeer(on: stage, port: port)
            #expect(try await post.attempt(later: .seconds(60)) == nil)
            #expect(try await post.outcome() == "sent")
            #expect(try await post.attempt(later: .seconds(60)) == "there is nothing to send any more")
            _ = try await peer.first
            #expect(try peer.mails.count == 1)
        }
    }

    @Test(
        "is given up at once where its server refuses it for good, and goes on where it does not",
        arguments: [
            ("--refuse", 550, true), ("--refuse", 451, false), ("--refuse-end", 554, true), ("--refuse-end", 452, false),
            ("--greet", 554, false),
        ])
    func refused(step: String, code: Int, isFinal: Bool) async throws {
        try await onStage { stage in
            let peer = try await MailPeer(on: stage, [step, "\(code)"])
            let post = try await Post(port: peer.port)
            if isFinal {
                #expect(try await post.attempt()?.hasPrefix("given up: ") == true)
                #expect(try await post.outcome() == "given_up")
                // What the server says is its operator's to know, and no tenant's.
                let entry = try #require(try await post.audit().first { $0.action == .mailGivenUp })
                #expect(entry.detail == "invitation: the mail server refused it")
            } else {
                await #expect(throws: SMTPError.self) { try await post.attempt() }
                #expect(try await post.outcome() == nil)
                // After a day nobody waits for it.
                #expect(try await post.attempt(later: .seconds(86_400)) == "given up: it could not be sent in its time")
                #expect(try await post.outcome() == "given_up")
            }
        }
    }

    @Test("does not wait for ever for a server that says nothing")
    func hanging() async throws {
        let silent = try StreamListenerOfTests()
        let post = try await Post(port: silent.port)
        let start = Instant.now
        await #expect(throws: SMTPError.self) { try await post.attempt(timeout: .seconds(1)) }
        #expect((.milliseconds(500)..<Duration.seconds(20)).contains(Instant.now - start))
        // The next one is put off without dialling.
        await #expect { try await post.attempt(timeout: .seconds(1)) } throws: { "\($0)".hasPrefix("put off: ") }
    }

    @Test("is configured by its section, whose faults come together")
    func configuration() throws {
        func server(_ text: String) throws -> MailServer? {
            let reader = try ConfigurationReader(text, source: "test")
            let server = MailServer(reader)
            try reader.finish()
            return server
        }
        #expect(try server("") == nil)
        let set = try #require(try server("[mail]\nserver = \"smtp.example.org:587\"\nfrom = \"a@example.org\"\n"))
        #expect(set.security == .starttls && set.fromName == "Strata" && set.timeout == .seconds(30) && set.user == nil)
        for (text, keys) in [
            ("from = \"a@example.org\"", ["mail.from"]),
            (
                "server = \"smtp.example.org:0\"\nfrom = \"a>b@c\"\nuser = \"u\"",
                ["mail.from", "mail.server", "mail.user, mail.password_file"]
            ),
            ("server = \"smtp.example.org:25\"\nfrom = \"a@b\"\nsecurity = \"none\"", ["mail.security"]),
            (
                "server = \"localhost:25\"\nfrom = \"a@b\"\nfrom_name = \"a\\r\\nBcc: x\"\nuser = \"u\"\npassword_file = \"/nowhere\"",
                ["mail.from_name", "mail.password_file"]
            ),
        ] {
            do {
                _ = try server("[mail]\n\(text)\n")
                Issue.record("\(text) was taken")
            } catch {
                #expect(Set((error as? ConfigurationFaults)?.faults.map(\.key) ?? []) == Set(keys), "\(error)")
            }
        }
    }
}

/// A socket that is connected to and never says a word.
private final class StreamListenerOfTests {
    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try FreePorts.tcp()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        try #require(bound == 0 && listen(descriptor, 8) == 0)
    }

    deinit { close(descriptor) }
}

/// A database on the disk with one mail in its outbox, and attempts to send it.
private final class Post: @unchecked Sendable {
    // Sendable: a test uses it from one task at a time.
    private let folder: TemporaryFolder
    private let store: ControlStore
    private let scope: OrganizationScope
    private let now: Guarded<Timestamp>
    private let port: Int
    private var postman: (key: String, Postman)?

    init(port: Int) async throws {
        self.port = port
        folder = try TemporaryFolder()
        let now = Guarded(Timestamp(unixMs: 1_800_000_000_000))
        self.now = now
        store = try await ControlStore.open(
            .file(folder["a.db"]), keyring: Keyring(), platformVersion: "1", clock: { now.withLock { $0 } })
        let owner = try NewUser(email: "o@example.org", displayName: "Owner", passwordHash: Secret("x"))
        let (organization, _) = try await store.organizations.create(name: "First", slug: "first", owner: owner, by: .operator)
        scope = OrganizationScope(organization.id, by: .system)
        let (store, scope) = (store, scope)
        let mail = NewMail(
            purpose: .invitation, to: "a@example.org", subject: "An invitation", text: "https://x/#token=0pensIt",
            html: "<p>token=0pensIt</p>")
        try await store.write(.durable) { try $0.post(mail, about: "x", sealedBy: store.keyring, in: scope) }
    }

    /// One attempt at its job, or at what is left of it.
    func attempt(
        later: Duration = .zero, security: MailServer.Security = .none, user: String? = nil, password: String = "",
        authority: String? = nil,
        timeout: Duration = .seconds(10)
    ) async throws -> String? {
        now.withLock { $0 = $0 + later }
        let key = "\(security) \(password) \(authority ?? "")"
        if postman?.key != key { postman = (key, try another(security, user, password, authority, timeout)) }
        let jobs = try await store.read { try $0.shared.all("SELECT * FROM jobs", Job.init) }
        return try await postman?.1.deliver(try #require(jobs.first))
    }

    private func another(
        _ security: MailServer.Security, _ user: String?, _ password: String, _ authority: String?, _ timeout: Duration
    ) throws -> Postman {
        let server = MailServer(
            place: HostPort(host: "127.0.0.1", port: port), security: security, from: try #require(MailAddress("strata@example.org")),
            user: user, password: Secret(password), authorityFile: authority, timeout: timeout)
        return Postman(store, server, log: Log("test", threshold: .error))
    }

    /// Asks the server how it is.
    func greet(
        security: MailServer.Security = .none, user: String? = nil, password: String = "", authority: String? = nil,
        timeout: Duration = .seconds(10)
    ) async throws {
        try await another(security, user, password, authority, timeout).greet()
    }

    func outcome() async throws -> String? {
        try await store.read { [scope] transaction in
            let outcome: String?? = try transaction.column("outcome", of: .mails, in: scope, where: "TRUE")
            return outcome ?? nil
        }
    }

    func audit() async throws -> [AuditEntry] { try await store.audit(in: scope).entries() }

    /// All bytes on the disk.
    func stored() throws -> Data {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).reduce(Data()) {
            $0 + (try Data(contentsOf: URL(fileURLWithPath: folder[$1])))
        }
    }
}
