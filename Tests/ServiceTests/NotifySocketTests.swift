import Foundation
import Testing

@testable import Systemd

@Suite("Notify socket")
struct NotifySocketTests {
    /// A datagram socket that systemd would hold.
    private func listen(_ name: String) throws -> Int32 {
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count + (bytes[0] == 0 ? 0 : 1))
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        try #require(code == 0)
        return socket
    }

    private func receive(_ socket: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 1000)
        let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("messages arrive at a path and at an abstract name", arguments: ["/tmp/st-notify-\(getpid()).sock", "@st-notify-\(getpid())"])
    func arrive(name: String) throws {
        let socket = try listen(name)
        defer {
            close(socket)
            unlink(name)
        }
        let notify = try #require(NotifySocket(environment: ["NOTIFY_SOCKET": name]))
        notify.ready()
        #expect(receive(socket) == "READY=1")
        notify.status("5 leases\nREADY=0")
        #expect(receive(socket) == "STATUS=5 leasesREADY=0")
        notify.stopping()
        #expect(receive(socket) == "STOPPING=1")
        notify.watchdog()
        #expect(receive(socket) == "WATCHDOG=1")
    }

    @Test("without a manager there is nothing to notify", arguments: [nil, "", "@", "relative", "vsock:2:1"])
    func none(name: String?) {
        #expect(NotifySocket(environment: name.map { ["NOTIFY_SOCKET": $0] } ?? [:]) == nil)
    }

    @Test("a manager that is gone harms nobody")
    func gone() {
        NotifySocket(environment: ["NOTIFY_SOCKET": "/tmp/st-nobody-\(getpid())"])?.ready()
    }

    @Test("the watchdog is served at half its time, and only for this process")
    func watchdog() {
        func interval(_ more: [String: String]) -> Duration? {
            NotifySocket(environment: ["NOTIFY_SOCKET": "@x"].merging(more) { $1 })?.watchdogInterval
        }
        #expect(interval(["WATCHDOG_USEC": "30000000"]) == .seconds(15))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"]) == .seconds(15))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"]) == nil)
        #expect(interval(["WATCHDOG_USEC": "x"]) == nil)
        #expect(interval([:]) == nil)
    }
}
