import Foundation
import Lab
import Links
import Logging
import Posix
import Support
import Testing
import Units
import Wire

@testable import Uplink

@Suite("A stock receiver that does not answer", .serialized, .unlessStolen) struct SilenceTests {
    private let first = SocketAddress("192.0.2.1", port: 5000)!
    private let second = SocketAddress("2001:db8::1", port: 5000)!

    @Test("is named, address by address, with what the path says of each")
    func words() {
        #expect(Silence(nil) == .unanswered && Silence(SystemError("sendto", ECONNREFUSED)) == .refused)
        let noRoute = Silence(SystemError("connect", ENETUNREACH))
        #expect(noRoute == .unreachable("Network is unreachable (101)"))
        #expect(Silence.words(of: [(first, .refused)]) == "the receiver does not answer: 192.0.2.1:5000: refused, nothing listens there")
        #expect(
            Silence.words(of: [(first, .unanswered), (second, noRoute)])
                == "none of 2 addresses answers: 192.0.2.1:5000: no answer within 2 s; [2001:db8::1]:5000: unreachable, Network is unreachable (101)"
        )
        let many = (1...9).map { (SocketAddress("192.0.2.\($0)", port: 5000)!, Silence.unanswered) }
        let words = Silence.words(of: many)
        #expect(words.contains("192.0.2.4:5000") && !words.contains("192.0.2.5") && words.hasSuffix("; and 5 more"))
    }

    @Test(
        "says over its link that nothing listens at the port, and of the other address that nobody answers",
        .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"), .timeLimit(.minutes(1)))
    func closed() async throws {
        let network = try FieldNetwork(links: [LinkShape(LinkProfile(delayMs: 5))], number: 23)
        defer { network.remove() }
        // Its port is taken by nobody else, and free again: what is sent there is refused.
        let port = try UDPSocket(binding: SocketAddress(network.cloudAddress, port: 0)!).localAddress.port
        // One that takes everything and says nothing.
        let deaf = try UDPSocket(binding: SocketAddress(network.cloudAddress, port: 0)!)
        let endpoints = [port, deaf.localAddress.port].map { Endpoint(host: network.cloudAddress, port: $0) }
        let transport = Transport(carrier: .rist, receivers: endpoints, streamKey: Field.key, bufferMs: 1000)
        let log = Log("door", threshold: .error)
        let loop = try Loop(name: "door")
        defer { loop.stop() }
        let (watcher, uplink) = try network.field.run {
            (try LinkWatcher(loop: loop, policy: LinkPolicy(allow: ["modem*"]), log: log), try makeUplink(transport: transport, log: log))
        }
        let links = Task { for await links in watcher.snapshots { uplink.update(links: links, rules: [:]) } }
        defer { links.cancel() }
        var reason = ""
        for await event in uplink.events {
            guard case .unreachable(_, let why) = event else { continue }
            reason = why
            break
        }
        uplink.stop()
        #expect(reason.hasPrefix("none of 2 addresses answers: "), "\(reason)")
        #expect(reason.contains(":\(port): refused, nothing listens there"), "\(reason)")
        #expect(reason.contains(":\(deaf.localAddress.port): no answer within 2 s"), "\(reason)")
    }
}
