import Crypto
import Foundation
import Posix
import Support
import Testing

/// The end of the server's certificate: told in good time, and over once it is renewed.
@Suite(.serialized, .unlessStolen)
struct CertificateTests {
    private static let day: Int64 = 86_400

    @Test(
        "a certificate that ends is told in the log, in the figures and to admins, before and when it is over, until there is a new one; 30, 7 and 1 days before it and an API token mail says so, once",
        .row("PRV-19"))
    func ends() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({ $0.mailPort = port }) { desk in
            let peer = try await MailPeer(on: desk.stage, port: port)
            let control = try desk.installation.program("control")
            let owner = try await desk.owner()
            let folder = desk.stage.folder["authority"]
            // What the installation began with is good for 90 days: nothing is said of it.
            let first = try await figure(desk, "server")
            #expect(abs(first - now - 90 * Self.day) < 300)
            #expect(try await figure(desk, "authority") - now > 3640 * Self.day)
            #expect(try await probe(owner).status == "healthy")
            #expect(!control.lines.contains { $0.contains("ends soon") || $0.contains("is over") })

            // A key that others may read is served, and told.
            try #require(chmod("\(folder)/key.pem", 0o644) == 0)
            let open = try await reload(control, expecting: "others may use the server's private key")
            #expect(open.contains("\"mode\":\"644\"") && open.contains("\"level\":\"warning\""), "\(open)")

            // An API token that was made 85 days ago ends in 5.
            try await makeToken("uploader", of: owner, at: desk)
            // 20 days are left, then 5 s, which pass: time enough to tell of them by mail.
            let soon = try put(into: folder, endingIn: 20 * Self.day + 3600)
            let warned = try await reload(control, expecting: "the server's certificate ends soon")
            #expect(warned.contains("\"level\":\"warning\"") && warned.contains("\"ends_at\":\"\(text(soon))\""), "\(warned)")
            #expect(warned.contains("\"days\":20") && warned.contains("strata-provision authority issue"), "\(warned)")
            #expect(try await figure(desk, "server") == soon)
            let told = try await probe(owner)
            #expect(told.status == "degraded" && told.detail?.contains("ends at \(text(soon))") == true, "\(told)")
            let notices = [
                "The API token uploader ends in less than 7 days", "The server's certificate ends in less than 30 days",
                "The server's certificate ends in less than 1 day",
            ]
            try await mailed(Array(notices.prefix(2)), peer)
            #expect(try peer.mails.contains { $0.to == ["owner@example.org"] && $0.text.contains(text(soon)) })

            // Read again, the same says nothing new.
            _ = try await reload(control, expecting: "certificates read again")
            let last = try put(into: folder, endingIn: 5)
            let mark = control.lines.count
            _ = try await reload(control, expecting: "\"ends_at\":\"\(text(last))\"")
            let over = try await control.line(containing: "the server's certificate is over", from: mark, within: .seconds(10))
            #expect(over.contains("\"level\":\"error\"") && over.contains("\"ended_at\":\"\(text(last))\"") && now >= last, "\(over)")
            #expect(try await probe(owner).status == "unhealthy")
            // A start says so as well.
            try await control.stop()
            let again = try await desk.installation.startControl()
            try await again.line(containing: "the server's certificate is over", within: .seconds(5))

            let answer = try JSONSerialization.jsonObject(
                with: try await desk.installation.provision(["authority", "issue", "--host", "127.0.0.1", "--directory", folder]))
            let until = try #require((answer as? [String: Any])?["endsAt"] as? String)
            _ = try await reload(again, expecting: "certificates read again")
            let renewed = try await figure(desk, "server")
            #expect(until == text(renewed) && abs(renewed - now - 90 * Self.day) < 300)
            #expect(try await probe(try await desk.owner()).status == "healthy")
            try await mailed(notices, peer)
        }
    }

    @Test("a chain that is over, or another authority's, is told and changes nothing; a start serves it, and says so in the same words")
    func refused() async throws {
        try await atFrontDesk { desk in
            let control = try desk.installation.program("control")
            let folder = desk.stage.folder["authority"]
            let first = try await figure(desk, "server")

            _ = try put(into: folder, endingIn: -60)
            let over = try await reload(control, expecting: "the old one stays")
            #expect(
                over.contains("\"level\":\"error\"") && over.contains("was over at") && over.contains("strata-provision authority issue"))
            let stranger = try CertificateAuthority.make(name: "Stranger", at: now)
            try put(stranger.issue(for: ["127.0.0.1"], at: now), into: folder)
            let foreign = try await reload(control, expecting: "the old one stays")
            #expect(foreign.contains("server.authority") && foreign.contains("not in the chain"), "\(foreign)")
            #expect(unlink("\(folder)/chain.pem") == 0 && mkfifo("\(folder)/chain.pem", 0o600) == 0)
            let fifo = try await reload(control, expecting: "the old ones stay")
            #expect(fifo.contains("no regular file"), "\(fifo)")
            #expect(try await figure(desk, "server") == first)
            let refused = try await probe(try await desk.owner())
            #expect(refused.status == "degraded" && refused.detail?.contains("would refuse the new certificate") == true, "\(refused)")
            #expect(unlink("\(folder)/chain.pem") == 0)

            let authority = try authority(in: folder)
            try put(authority.issue(for: ["other.example"], at: now), into: folder)
            let named = try await reload(control, expecting: "the old one stays")
            #expect(named.contains("is for other.example, and not for 127.0.0.1") && named.contains("server.origins"), "\(named)")

            try put(authority.issue(for: ["127.0.0.1", "other.example"], at: now), into: folder)
            _ = try await reload(control, expecting: "certificates read again")
            #expect(try await probe(try await desk.owner()).status == "healthy")

            try put(stranger.issue(for: ["127.0.0.1"], at: now), into: folder)
            try await control.stop()
            let again = try await desk.installation.startControl()
            let told = try await again.line(containing: "boards and browsers refuse the server's certificate", within: .seconds(5))
            #expect(told.contains("\"level\":\"error\"") && told.contains("server.authority"), "\(told)")
        }
    }

    @Test("the key to a bucket that ends is told by mail and to admins, whether the bucket answers or not", .row("PRV-19"))
    func storeKey() async throws {
        let files = try TemporaryFolder()
        defer { withExtendedLifetime(files) {} }
        let secret = try files.write("wJalrXUtnFEMI\n", to: "store-secret")
        // The beginning of a day: between 4 and 5 are left.
        let end = text(now + 5 * Self.day).prefix(10)
        let port = try FreePorts.tcp()
        let nobody = try FreePorts.tcp()
        try await atFrontDesk({
            $0.mailPort = port
            $0.sections = """
                [blobs]
                endpoint = "http://127.0.0.1:\(nobody)"
                inside = true
                bucket = "strata"
                access_key = "key"
                secret_file = "\(secret)"
                access_key_ends = "\(end)"
                """
        }) { desk in
            let peer = try await MailPeer(on: desk.stage, port: port)
            let owner = try await desk.owner()
            let told = try await probe(owner)
            #expect(told.status == "degraded" && told.detail?.contains("store of recordings ends at \(end)T00:00:00") == true, "\(told)")
            // At its start nobody owned the server: whoever does now is told when the certificates are read again.
            _ = try await reload(try desk.installation.program("control"), expecting: "the key to the store of recordings ends soon")
            try await mailed(["The key to the store of recordings ends in less than 7 days"], peer)
        }
    }

    // MARK: Parts

    /// Of 90 days, of which 85 have passed.
    private func makeToken(_ name: String, of owner: Visitor, at desk: FrontDesk) async throws {
        let password = desk.installation.ownerPassword
        let body = #"{"name":"\#(name)","scopes":["read"],"expiresInSeconds":7776000,"password":"\#(password)"}"#
        #expect(try await owner.post("/api-tokens", body).status == 201)
        let past = 85 * Self.day * 1000
        _ = try await sqlite(desk, "UPDATE api_tokens SET created_at = created_at - \(past), expires_at = expires_at - \(past)")
    }

    /// Waits for mails, and sees that there are no others.
    private func mailed(_ subjects: [String], _ peer: MailPeer) async throws {
        try await eventually(within: .seconds(10), "there are mails: \(subjects)") { try peer.mails.count >= subjects.count }
        #expect(try peer.mails.compactMap { $0.headers["Subject"] }.sorted() == subjects.sorted())
    }

    private var now: Int64 { unixMilliseconds() / 1000 }

    private func text(_ unixSeconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(unixSeconds)).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// A certificate of the same authority that ends in so many seconds.
    private func put(into folder: String, endingIn seconds: Int64) throws -> Int64 {
        let leaf = try authority(in: folder).issue(for: ["127.0.0.1"], at: now + seconds - 90 * Self.day)
        try put(leaf, into: folder)
        return leaf.notAfter
    }

    private func put(_ leaf: CertificateAuthority.Leaf, into folder: String) throws {
        try KeyFile.write(leaf.privateKeyPEM, to: "\(folder)/key.pem")
        try KeyFile.write(leaf.chainPEM, to: "\(folder)/chain.pem")
    }

    private func authority(in folder: String) throws -> CertificateAuthority {
        func read(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }
        return try CertificateAuthority(certificatePEM: read("ca.pem"), privateKeyPEM: read("ca.key"))
    }

    private func reload(_ control: RunningProgram, expecting text: String) async throws -> String {
        let mark = control.lines.count
        control.signal(SIGHUP)
        return try await control.line(containing: text, from: mark, within: .seconds(5))
    }

    private func figure(_ desk: FrontDesk, _ certificate: String) async throws -> Int64 {
        let text = String(decoding: try await desk.operating().get("/metrics").body, as: UTF8.self)
        let name = "control_certificate_not_after_seconds{certificate=\"\(certificate)\"} "
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name) }, "\(text)")
        return try #require(Int64(line.dropFirst(name.count)))
    }

    private func probe(_ owner: Visitor) async throws -> (status: String?, detail: String?) {
        let probes = try await owner.get("/diagnostics/health").object()["probes"] as? [[String: Any]]
        let probe = try #require(probes?.first { $0["name"] as? String == "certificate" })
        return (probe["status"] as? String, probe["detail"] as? String)
    }
}
