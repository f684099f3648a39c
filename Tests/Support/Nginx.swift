import Foundation
import Posix

/// nginx with its RTMP module as the platform that streams are sent to. It records every stream into its folder.
///
/// Applications: `live` takes and records all; `dropping` too, and ends a session without media after 3 s; `refusing` takes no publisher (`deny publish`); `keyed` asks at each publish,
/// and takes while `setOpen(true)` holds.
package final class Nginx: Sendable {
    package let rtmpPort: Int
    /// TLS in front of the same server; nil without a certificate.
    package let rtmpsPort: Int?
    /// Its pages.
    package let httpPort: Int
    private let folder: String
    private let program: Guarded<RunningProgram?> = Guarded(nil)
    private let stage: Stage
    private let inside: [String]

    /// - Parameters:
    ///   - certificate: PEM files for RTMPS.
    ///   - listeningOn: the one address that takes RTMP; nil: every one.
    ///   - inside: what comes before its command, as a namespace's `command([])`.
    package init(
        on stage: Stage, certificate: (chain: String, key: String)? = nil, address: String = "127.0.0.1", listeningOn: String? = nil,
        inside: [String] = []
    ) async throws {
        self.stage = stage
        self.inside = inside
        rtmpPort = try FreePorts.tcp()
        rtmpsPort = try certificate.map { _ in try FreePorts.tcp() }
        httpPort = try FreePorts.tcp()
        folder = try stage.folder.makeFolder("nginx-\(rtmpPort)")
        for name in ["records", "logs"] { _ = try stage.folder.makeFolder("nginx-\(rtmpPort)/\(name)") }
        try configuration(certificate, address, listeningOn).write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
        try await start()
    }

    package func url(_ application: String = "live") -> String { "rtmp://127.0.0.1:\(rtmpPort)/\(application)" }

    /// Starts it, again after `stop` or `kill9`.
    package func start() async throws {
        let nginx = try stage.start("nginx", ["-p", folder, "-c", "\(folder)/nginx.conf", "-e", "stderr"], inside: inside)
        program.withLock { $0 = nginx }
        try await eventually(within: .seconds(10), "nginx listens; it said:\n\(nginx.tail)") {
            if nginx.ending != nil { throw SupportFailure(nginx.tail) }
            return try await self.statistics() != nil
        }
    }

    package func stop() async throws { try await program.withLock { $0 }?.stop() }

    /// Ends at once, without closing what is open as it should.
    package func kill9() async throws {
        // Its worker goes with the master's group.
        if let nginx = program.withLock({ $0 }) {
            kill(-nginx.pid, SIGKILL)
            _ = try await nginx.end(within: .seconds(5))
        }
    }

    /// It and its worker stop where they are, with all connections open, until `goOn`.
    package func hang() { signal(SIGSTOP) }
    package func goOn() { signal(SIGCONT) }

    private func signal(_ signal: Int32) {
        if let nginx = program.withLock({ $0 }) { kill(-nginx.pid, signal) }
    }

    package func setOpen(_ isOpen: Bool) throws {
        if isOpen {
            try "".write(toFile: "\(folder)/open", atomically: true, encoding: .utf8)
        } else if access("\(folder)/open", F_OK) == 0 {
            try FileManager.default.removeItem(atPath: "\(folder)/open")
        }
    }

    /// The FLV files of a stream's sessions, oldest first; the last one grows while it is published.
    package func recordings(_ stream: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/records").filter { $0.hasPrefix("\(stream)-") }.sorted()
            .map { "\(folder)/records/\($0)" }
    }

    /// A stream's files once its session is over: until then the last of what was sent may not be written yet.
    package func finished(_ stream: String) async throws -> [String] {
        try await eventually(within: .seconds(10), "the session of \(stream) is over") {
            try await !self.publishedStreams().contains(stream)
        }
        return try recordings(stream)
    }

    /// The streams that somebody publishes now.
    package func publishedStreams() async throws -> [String] {
        let text = try await statistics() ?? ""
        return text.components(separatedBy: "<stream>").dropFirst().compactMap { stream in
            guard stream.contains("<publishing/>"), let start = stream.range(of: "<name>"), let end = stream.range(of: "</name>") else {
                return nil
            }
            return String(stream[start.upperBound..<end.lowerBound])
        }
    }

    /// Throws a publisher out, as a platform does.
    package func drop(_ stream: String, of application: String = "live") async throws {
        _ = try await runTool("curl", ["-sf", "http://127.0.0.1:\(httpPort)/control/drop/publisher?app=\(application)&name=\(stream)"])
    }

    /// The module's statistics page; nil while nobody answers.
    private func statistics() async throws -> String? {
        let line = inside + ["curl", "-s", "http://127.0.0.1:\(httpPort)/stat"]
        let answer = try await runTool(line[0], Array(line.dropFirst()), mayFail: true)
        return answer.status == 0 ? answer.text : nil
    }

    private func configuration(_ certificate: (chain: String, key: String)?, _ address: String, _ listening: String?) -> String {
        let tls = certificate.flatMap { certificate in
            rtmpsPort.map { port in
                """
                stream {
                    server {
                        listen \(address):\(port) ssl;
                        ssl_certificate \(certificate.chain);
                        ssl_certificate_key \(certificate.key);
                        proxy_pass 127.0.0.1:\(rtmpPort);
                    }
                }
                """
            }
        }
        let record = "live on; record all; record_path \(folder)/records; record_suffix -%Y%m%d-%H%M%S.flv; record_unique on;"
        return """
            \(geteuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes 1;
            pid \(folder)/nginx.pid;
            error_log stderr notice;
            load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
            \(tls == nil ? "" : "load_module /usr/lib/nginx/modules/ngx_stream_module.so;")
            events { worker_connections 512; }
            rtmp {
                server {
                    listen \(listening.map { $0 + ":" } ?? (address == "127.0.0.1" ? "" : "0.0.0.0:"))\(rtmpPort);
                    chunk_size 4096;
                    max_message 8M;
                    application live { \(record) }
                    application dropping { \(record) drop_idle_publisher 3s; }
                    application refusing { live on; deny publish all; }
                    application keyed { \(record) on_publish http://127.0.0.1:\(httpPort)/may; }
                }
            }
            \(tls ?? "")
            http {
                access_log off;
                server {
                    listen 127.0.0.1:\(httpPort);
                    location /stat { rtmp_stat all; }
                    location /control { rtmp_control all; }
                    location /may { if (-f \(folder)/open) { return 204; } return 403; }
                }
            }
            """
    }
}
