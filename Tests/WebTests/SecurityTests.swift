import Crypto
import Foundation
import Glibc
import HTTP
import Posix
import TLS
import Testing
import Web

@Suite("TLS and trust", .timeLimit(.minutes(1)))
struct SecurityTests {
    private let hello: @Sendable (Request) async -> Response = { request in
        .text("\(request.isTLS) \(request.isSecure) \(request.remote.host) \(await request.tlsExporter?.count ?? 0)")
    }

    @Test("anchors and pins are trusted; the system's authorities, other anchors and other pins are not")
    func trust() async throws {
        try await withServer(handler: hello) { server in
            let authority = server.certificates.authority
            let der = try Certificate(pem: authority.certificatePEM).der
            let other = try CertificateAuthority.make(name: "Test", at: unixMilliseconds() / 1000)
            let good: [Trust] = [
                .anchors([Array(authority.certificatePEM.utf8)]), .anchors([der]),
                .anchors([Array((other.certificatePEM + authority.certificatePEM).utf8)]), .pinnedCA(sha256: try authority.fingerprint),
            ]
            for trust in good {
                let response = try await server.client { $0.trust = trust }.request(.get, server.https + "/")
                #expect(String(decoding: response.body, as: UTF8.self) == "true true 127.0.0.1 32")
            }
            let bad: [Trust] = [
                .system, .anchors([Array(other.certificatePEM.utf8)]), .pinnedCA(sha256: try other.fingerprint),
                .pinnedCA(sha256: [1, 2, 3]), .anchors([]), .anchors([[1, 2, 3]]),
            ]
            for trust in bad {
                do {
                    _ = try await server.client { $0.trust = trust }.request(.get, server.https + "/")
                    Issue.record("\(trust) was believed")
                } catch ClientError.untrusted {} catch { Issue.record("\(trust): \(error)") }
            }
        }
    }

    @Test("the name must be the certificate's, whether the CA is an anchor or pinned")
    func names() async throws {
        try await withServer(handler: hello) { server in
            try server.certificates.issue(names: ["strata.example", "10.0.0.1"])
            try server.server.reloadCertificates()
            let authority = server.certificates.authority
            for trust in [Trust.anchors([Array(authority.certificatePEM.utf8)]), .pinnedCA(sha256: try authority.fingerprint)] {
                let client = server.client {
                    $0.trust = trust
                    $0.addresses = [server.secure]
                }
                _ = try await client.request(.get, "https://strata.example/")
                _ = try await client.request(.get, "https://10.0.0.1/")
                for host in ["other.example", "a.strata.example", "10.0.0.2", "localhost"] {
                    do {
                        _ = try await client.request(.get, "https://\(host)/")
                        Issue.record("\(host) was believed")
                    } catch ClientError.untrusted {} catch { Issue.record("\(host): \(error)") }
                }
            }
        }
    }

    @Test("a clock that is known to be wrong refuses no server for what it shows, and believes none that was over before that was known")
    func wrongClock() async throws {
        try await withServer(handler: hello) { server in
            let day = 86_400
            let now = unixMilliseconds() / 1000
            let authority = try CertificateAuthority.make(name: "Test", at: now - Int64(day))
            /// Whether a leaf of `days` from `begin` on is believed, where it is certain that the day `floor` has come; today is 0.
            func isBelieved(from begin: Int, days: Int, floor: Int) async throws -> String? {
                let leaf = try authority.issue(for: ["127.0.0.1"], at: now + Int64(begin * day), days: days)
                try write(leaf.chainPEM, to: server.certificates.files.chain)
                try write(leaf.privateKeyPEM, to: server.certificates.files.key)
                try server.server.reloadCertificates()
                for trust in [Trust.anchors([Array(authority.certificatePEM.utf8)]), .pinnedCA(sha256: try authority.fingerprint)] {
                    let client = server.client {
                        $0.trust = trust
                        $0.timeFloor = Int(now) + floor * day
                    }
                    do { _ = try await client.request(.get, server.https + "/") } catch ClientError.untrusted(let reason) { return reason }
                }
                return nil
            }
            #expect(try await isBelieved(from: 0, days: 30, floor: -10) == nil)
            #expect(try await isBelieved(from: 0, days: 30, floor: 10) == nil)
            #expect(try await isBelieved(from: 9, days: 30, floor: 10) == nil)
            #expect(try await isBelieved(from: 20, days: 30, floor: 10) == nil)
            let early = try #require(try await isBelieved(from: 5, days: 30, floor: -10))
            #expect(early.contains("not yet valid") && early.contains("is the clock of this machine right?"))
            let over = try #require(try await isBelieved(from: 0, days: 5, floor: 10))
            #expect(over.contains("expired") && over.contains("is the clock of this machine right?"))
        }
    }

    @Test("a leaf that has expired is not trusted")
    func expiry() async throws {
        try await withServer(handler: hello) { server in
            let past = unixMilliseconds() / 1000 - 200 * 86_400
            let authority = try CertificateAuthority.make(name: "Old", at: past)
            let leaf = try authority.issue(for: ["127.0.0.1"], at: past, days: 30)
            try write(leaf.chainPEM, to: server.certificates.files.chain)
            try write(leaf.privateKeyPEM, to: server.certificates.files.key)
            try server.server.reloadCertificates()
            for trust in [Trust.anchors([Array(authority.certificatePEM.utf8)]), .pinnedCA(sha256: try authority.fingerprint)] {
                await #expect(throws: ClientError.self) {
                    _ = try await server.client { $0.trust = trust }.request(.get, server.https + "/")
                }
            }
        }
    }

    @Test("certificates are read again without a connection lost; files that are wrong change nothing")
    func reload() async throws {
        try await withServer { _ in
            .upgrade { socket in
                while let message = try? await socket.receive() { if case .text(let text) = message { try? await socket.send(text) } }
            }
        } _: { server in
            let socket = try await server.client().webSocket("wss://\(server.secure)/")
            let other = try CertificateAuthority.make(name: "Next", at: unixMilliseconds() / 1000)
            let leaf = try other.issue(for: ["127.0.0.1"], at: unixMilliseconds() / 1000)
            try write("no certificate", to: server.certificates.files.chain)
            #expect(throws: TLSError.self) { try server.server.reloadCertificates() }
            try write(leaf.chainPEM, to: server.certificates.files.chain)
            #expect(throws: TLSError.self) { try server.server.reloadCertificates() }
            try await server.client().webSocket("wss://\(server.secure)/").close()
            try write(leaf.privateKeyPEM, to: server.certificates.files.key)
            try server.server.reloadCertificates()
            try await socket.send("alive")
            #expect(try await socket.receive() == .text("alive"))
            await #expect(throws: ClientError.self) { _ = try await server.client().webSocket("wss://\(server.secure)/") }
            let next = server.client { $0.trust = .anchors([Array(other.certificatePEM.utf8)]) }
            try await next.webSocket("wss://\(server.secure)/").close()
        }
    }

    @Test(
        "a chain that those who dial would refuse does not take the place of one that they accept; any takes the place of one they refuse")
    func demand() async throws {
        try await withServer(handler: hello) { server in
            let (authority, files) = (server.certificates.authority, server.certificates.files)
            let now = unixMilliseconds() / 1000
            let demand = ChainDemand(authority: try authority.fingerprint, hosts: ["127.0.0.1", "live.strata.example"])
            func put(_ authority: CertificateAuthority, _ names: [String], from begin: Int64 = 0, days: Int = 90, alone: Bool = false)
                throws
            {
                let leaf = try authority.issue(for: names, at: now + begin * 86_400, days: days)
                let root = leaf.chainPEM.range(of: authority.certificatePEM)
                try write(alone ? String(leaf.chainPEM[..<(root?.lowerBound ?? leaf.chainPEM.endIndex)]) : leaf.chainPEM, to: files.chain)
                try write(leaf.privateKeyPEM, to: files.key)
            }
            func refusal(_ demand: ChainDemand) -> ChainFault? {
                do {
                    try server.server.reloadCertificates(for: demand)
                } catch { return error as? ChainFault }
                return nil
            }
            func name(_ fault: ChainFault?) -> String { fault.map { String("\($0)".prefix { $0 != "(" }) } ?? "none" }
            let other = try CertificateAuthority.make(name: "Other", at: now)
            #expect(server.server.certificateFault(for: demand) == nil)
            let end = try #require(server.server.certificateEnd)

            try put(authority, ["127.0.0.1"], from: -30, days: 29)
            #expect(name(refusal(demand)) == "over")
            try put(authority, ["127.0.0.1"], from: 2)
            #expect(name(refusal(demand)) == "begins")
            try put(other, ["127.0.0.1"])
            #expect(name(refusal(demand)) == "notOfAuthority")
            try put(authority, ["127.0.0.1"], alone: true)
            #expect(refusal(demand) == .notOfAuthority(reason: "the authority's own certificate is not in the chain"))
            try put(authority, ["localhost", "live.strata.example"])
            #expect(refusal(demand) == .otherNames(names: ["localhost", "live.strata.example"], lacks: ["127.0.0.1"]))
            // As it was, all the time, and for those who dial.
            #expect(server.server.certificateEnd == end)
            _ = try await server.client { $0.trust = .pinnedCA(sha256: demand.authority ?? []) }.request(.get, server.https + "/")

            // Another name beside those that are configured, and one less that is not.
            try put(authority, ["127.0.0.1", "next.example"])
            #expect(refusal(demand) == nil)
            // Nobody is known to dial by these names: one of them has to stay, or one of those that are configured to come.
            let elsewhere = ChainDemand(authority: nil, hosts: ["live.strata.example"])
            try put(other, ["a.example"])
            #expect(refusal(elsewhere) == .otherNames(names: ["a.example"], lacks: ["live.strata.example", "127.0.0.1", "next.example"]))
            try put(other, ["*.strata.example"])
            #expect(refusal(elsewhere) == nil)
            // Of another authority than is asked for now: what is refused already gives way to anything.
            #expect(name(server.server.certificateFault(for: demand)) == "notOfAuthority")
            try put(other, ["b.example"], from: -30, days: 29)
            #expect(refusal(demand) == nil)
            #expect(name(server.server.certificateFault(for: demand)) == "over")
            try put(authority, ["live.strata.example"])
            #expect(refusal(demand) == nil && server.server.certificateFault(for: demand) == nil)
        }
    }

    @Test("a chain or key that is no regular file is refused at once: a FIFO, a device, a folder, one that is too large")
    func irregular() async throws {
        try await withServer(handler: hello) { server in
            let files = server.certificates.files
            for path in [files.chain, files.key] {
                try FileManager.default.moveItem(atPath: path, toPath: path + ".good")
                defer { try? FileManager.default.moveItem(atPath: path + ".good", toPath: path) }
                for make: (String) -> CInt in [
                    { mkfifo($0, 0o600) }, { symlink("/dev/zero", $0) }, { mkdir($0, 0o700) },
                    { path in
                        let file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
                        defer { close(file) }
                        return ftruncate(file, 1 << 21)
                    },
                ] {
                    #expect(make(path) == 0)
                    do {
                        try server.server.reloadCertificates()
                        Issue.record("it was taken")
                    } catch {
                        let text = "\(error)"
                        #expect(text.contains(path) && (text.contains("no regular file") || text.contains("larger than")), "\(text)")
                    }
                    #expect(remove(path) == 0)
                }
            }
            try server.server.reloadCertificates()
            _ = try await server.client().request(.get, server.https + "/")
        }
    }

    @Test("TLS 1.2 and 1.3 are spoken, older versions and weak ciphers are not", arguments: ["1.3", "1.2", "1.1", "1.0"])
    func versions(version: String) async throws {
        try await withServer(handler: hello) { server in
            let arguments = [
                "-sS", "--cacert", server.certificates.caFile, "--tls-max", version, "--tlsv\(version)", "--ciphers", "DEFAULT@SECLEVEL=0",
                server.https + "/",
            ]
            let result = try await run("/usr/bin/curl", arguments, on: server.loops[0])
            #expect(result.status.isSuccess == ["1.3", "1.2"].contains(version))
            if result.status.isSuccess { #expect(String(decoding: result.output, as: UTF8.self) == "true true 127.0.0.1 32") }
        }
        if version == "1.2" {
            try await withServer(handler: hello) { server in
                let arguments = [
                    "-sS", "--cacert", server.certificates.caFile, "--tls-max", "1.2", "--ciphers",
                    "AES128-SHA:ECDHE-ECDSA-AES128-SHA@SECLEVEL=0",
                    server.https + "/",
                ]
                let result = try await run("/usr/bin/curl", arguments, on: server.loops[0])
                #expect(!result.status.isSuccess)
            }
        }
    }

    @Test("a client that offers h2 first gets HTTP/1.1 by ALPN")
    func alpn() async throws {
        try await withServer(handler: hello) { server in
            let arguments = [
                "-sS", "--http2", "-o", "/dev/null", "-w", "%{http_version}", "--cacert", server.certificates.caFile, server.https + "/",
            ]
            let result = try await run("/usr/bin/curl", arguments, on: server.loops[0])
            #expect(String(decoding: result.output, as: UTF8.self) == "1.1")
        }
    }

    @Test("plain HTTP is refused outside of loopback, with the address in the error")
    func plainOutside() async throws {
        let loop = try Loop(name: "plain")
        for host in ["0.0.0.0", "::", "192.0.2.1"] {
            let address = try #require(SocketAddress(host, port: 0))
            let server = Server(configuration: ServerConfiguration(listeners: [Listener(address)]), loops: [loop]) { _ in .text("") }
            await #expect(throws: ServerFault.plainOutsideLoopback(address)) { _ = try await server.start() }
        }
        // On one interface alone it is served, but never without a name of one: that would be all of them.
        let alone = Server(
            configuration: ServerConfiguration(listeners: [Listener(.any(.ipv4), device: "lo")]), loops: [loop],
            handler: { _ in .text("") })
        let port = try await alone.start()[0].port
        #expect(try await Client(loop: loop).request(.get, "http://127.0.0.1:\(port)/").status == .ok)
        await alone.shutdown(grace: .zero)
        let nameless = Server(
            configuration: ServerConfiguration(listeners: [Listener(.any(.ipv4), device: "")]), loops: [loop], handler: { _ in .text("") })
        await #expect(throws: SystemError.self) { _ = try await nameless.start() }
        loop.stop()
    }

    @Test("a certificate that is missing is an error that names the file, and nothing listens")
    func missingFiles() async throws {
        let loop = try Loop(name: "missing")
        let files = CertificateFiles(chain: "/nonexistent/chain.pem", key: "/nonexistent/key.pem")
        let configuration = ServerConfiguration(listeners: [Listener(.loopback(port: 0), certificate: files)])
        let server = Server(configuration: configuration, loops: [loop]) { _ in .text("") }
        do {
            _ = try await server.start()
            Issue.record("it started")
        } catch { #expect("\(error)".contains("/nonexistent/chain.pem")) }
        loop.stop()
    }

    @Test("a client that speaks no TLS, or stops within the handshake, is closed after its time")
    func noHandshake() async throws {
        var limits = ServerLimits()
        limits.headTimeout = .milliseconds(100)
        try await withServer(limits: limits, handler: hello) { server in
            let plain = try RawPeer(server.secure)
            plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            // An alert, then the end.
            _ = plain.readAll()
            #expect(plain.isEnded)
            let silent = try RawPeer(server.secure)
            silent.send([0x16, 0x03, 0x01])
            #expect(silent.readAll() == "" && silent.isEnded)
        }
    }

    @Test(
        "the client's address is the rightmost hop that is no trusted proxy, and only a trusted peer is believed",
        arguments: [
            (["127.0.0.1"], "1.2.3.4", "1.2.3.4"), (["127.0.0.1"], "6.6.6.6, 1.2.3.4", "1.2.3.4"),
            (["127.0.0.0/8", "10.0.0.0/8"], "6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4"), (["127.0.0.1"], "1.2.3.4:5555", "1.2.3.4"),
            (["127.0.0.1"], "[2001:db8::1]:5", "2001:db8::1"), (["127.0.0.1"], "1.2.3.4, junk", "127.0.0.1"),
            (["127.0.0.1"], "", "127.0.0.1"), (["10.0.0.0/8"], "1.2.3.4", "127.0.0.1"), ([], "1.2.3.4", "127.0.0.1"),
            (["127.0.0.1", "10.0.0.0/8"], "10.0.0.5, 10.0.0.6", "10.0.0.5"), (["127.0.0.1"], "::ffff:9.9.9.9", "9.9.9.9"),
        ] as [([String], String, String)])
    func forwarded(proxies: [String], header: String, expected: String) async throws {
        try await withServer(proxies: proxies) {
            .text("\($0.remote.host) \($0.isSecure) \($0.isProxied)")
        } _: { server in
            let response = try await server.client().request(
                .get, server.http + "/", headers: ["X-Forwarded-For": header, "X-Forwarded-Proto": "https"])
            let isBelieved = proxies.contains { $0.hasPrefix("127.") }
            #expect(String(decoding: response.body, as: UTF8.self) == "\(expected) \(isBelieved) \(isBelieved)")
        }
    }

    @Test("several fields of X-Forwarded-For are one list")
    func forwardedTwice() async throws {
        try await withServer(proxies: ["127.0.0.1", "10.0.0.1"]) {
            .text($0.remote.host)
        } _: { server in
            let peer = try RawPeer(server.plain)
            peer.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
            #expect(peer.response().body == "1.2.3.4")
        }
        #expect(TrustedProxies(["10.0.0.0/33"]) == nil && TrustedProxies(["proxy.example"]) == nil && TrustedProxies(["::1/x"]) == nil)
    }
}
