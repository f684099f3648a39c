import Foundation
import Lab
import Posix
import Support
import Web

/// A real browser, headless, with a profile of its own: opens pages and runs script in them over the DevTools protocol.
final class Chromium: @unchecked Sendable {
    // Sendable: a test uses it from one task at a time.
    /// What a page complained about: errors of its script, what its policy has blocked, requests that failed.
    private(set) var complaints: [String] = []
    private let socket: WebSocket
    private let folder: TemporaryFolder
    private var session = ""
    private var lastID = 0

    /// - Parameters:
    ///   - certificate: a chain in a PEM file whose first key it takes without asking who signed it, and no other key.
    ///   - hasCamera: whether it has a camera and a microphone, Chromium's own fakes of them, which every page may use.
    ///   - namespace: the machine that it runs on, and the address of every name there; else this one.
    init(
        on stage: Stage, believing certificate: String? = nil, hasCamera: Bool = false,
        in namespace: (machine: NetworkNamespace, names: String)? = nil
    ) async throws {
        folder = stage.folder
        var more: [String] = []
        if let certificate {
            let script =
                "openssl x509 -in '\(certificate)' -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64"
            let key = try await runTool("sh", ["-c", script]).text.trimmingCharacters(in: .newlines)
            more = ["--ignore-certificate-errors-spki-list=\(key)"]
        }
        if hasCamera { more += Self.camera }
        if let namespace { more.append("--host-resolver-rules=MAP * \(namespace.names), EXCLUDE 127.0.0.1") }
        let program = try stage.start(
            "chromium",
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run", "--disable-sync",
                "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--window-size=1000,900",
                "--user-data-dir=\(try stage.folder.makeFolder("chromium\(UUID().uuidString.prefix(6))"))",
            ] + more + ["about:blank"], inside: namespace?.machine.command([]) ?? [])
        let mark = "DevTools listening on "
        let line = try await program.line(containing: mark, within: .seconds(30))
        guard var url = line.components(separatedBy: mark).last?.trimmingCharacters(in: .whitespaces) else {
            throw SupportFailure("no address in \(line)")
        }
        if let namespace { url = try await Self.reach(url, in: namespace.machine, on: stage) }
        var options = ClientOptions()
        options.webSocket.messageLimit = 32 << 20
        socket = try await Client(loop: try Loop(name: "devtools"), options: options).webSocket(url)
    }

    /// The same address for this machine: no packet of it goes between the two, so that nothing there has to let it through.
    private static func reach(_ url: String, in machine: NetworkNamespace, on stage: Stage) async throws -> String {
        guard let port = url.dropFirst("ws://127.0.0.1:".count).split(separator: "/").first else {
            throw SupportFailure("no port in \(url)")
        }
        let own = try FreePorts.tcp()
        let command = machine.command(["socat", "-", "TCP4:127.0.0.1:\(port)"]).joined(separator: " ")
        let script = try stage.folder.write("exec \(command)\n", to: "devtools-\(own)")
        _ = try stage.start("socat", ["TCP4-LISTEN:\(own),bind=127.0.0.1,fork,reuseaddr", "EXEC:sh \(script)"])
        try await eventually(within: .seconds(5), "the browser's tools can be reached") {
            try await runTool("sh", ["-c", "ss -Hltn 'sport = :\(own)' | grep -q ."], mayFail: true).status == 0
        }
        return url.replacingOccurrences(of: "127.0.0.1:\(port)", with: "127.0.0.1:\(own)")
    }

    /// A moving picture and a beep each second; and a peer may be on this machine.
    private static let camera = [
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection", "--disable-dev-shm-usage",
    ]

    /// Opens a page in a new tab, which is then the one that is talked to.
    func open(_ url: String) async throws {
        let target = try await call("Target.createTarget", ["url": "about:blank"], whole: true)["targetId"] as? String ?? ""
        session =
            try await call("Target.attachToTarget", ["targetId": target, "flatten": true], whole: true)["sessionId"] as? String ?? ""
        for domain in ["Page", "Runtime", "Log", "Network"] { _ = try await call("\(domain).enable") }
        try await go(to: url)
    }

    /// Has every page from the next one on begin with this script, before any of its own; the page's policy does not hold for it.
    func prepare(_ script: String) async throws { _ = try await call("Page.addScriptToEvaluateOnNewDocument", ["source": script]) }

    /// Goes to another page in the same tab, and waits until it has loaded.
    func go(to url: String) async throws {
        let answer = try await call("Page.navigate", ["url": url])
        if let fault = answer["errorText"] as? String { throw SupportFailure("\(url): \(fault)") }
        try await eventually(within: .seconds(10), "\(url) is loaded") {
            try await self.value("document.readyState === 'complete' && location.href !== 'about:blank'") as? Bool == true
        }
    }

    /// The value of an expression; a promise is waited for. The page's own policy holds for it.
    func value(_ expression: String) async throws -> Any? {
        let answer = try await call(
            "Runtime.evaluate",
            [
                "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true,
                "allowUnsafeEvalBlockedByCSP": false,
            ])
        if let fault = answer["exceptionDetails"] as? [String: Any] {
            let thrown = (fault["exception"] as? [String: Any])?["description"] as? String
            throw SupportFailure("\(expression.prefix(100)): \(thrown ?? "\(fault)")")
        }
        return (answer["result"] as? [String: Any])?["value"]
    }

    /// What it keeps for an address, those that no script may read too.
    func cookies(of url: String) async throws -> [[String: Any]] {
        try await call("Network.getCookies", ["urls": [url]])["cookies"] as? [[String: Any]] ?? []
    }

    /// Waits until an expression is true.
    func wait(for expression: String, _ what: String, within limit: Duration = .seconds(15)) async throws {
        do {
            try await eventually(within: limit, what) { try await self.value(expression) as? Bool == true }
        } catch {
            throw SupportFailure("\(error); the page says: \(try await value("document.body.innerText") ?? "nothing")")
        }
    }

    /// A picture of the page in the stage's folder, or where `STRATA_SCREENSHOTS` says.
    /// - Returns: its path.
    @discardableResult
    func screenshot(_ name: String) async throws -> String {
        guard let text = try await call("Page.captureScreenshot")["data"] as? String, let data = Data(base64Encoded: text) else {
            throw SupportFailure("no picture of \(name)")
        }
        let place = ProcessInfo.processInfo.environment["STRATA_SCREENSHOTS"] ?? folder.path
        let path = "\(place)/\(name).png"
        try data.write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Makes the page as wide as a device.
    func resize(width: Int, height: Int) async throws {
        _ = try await call(
            "Emulation.setDeviceMetricsOverride", ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
    }

    /// Has pages see a preference of who uses them: `prefers-reduced-motion` as `reduce`.
    func prefer(_ feature: String, _ value: String) async throws {
        _ = try await call("Emulation.setEmulatedMedia", ["features": [["name": feature, "value": value]]])
    }

    /// What a mouse does at a place of the window: `mousePressed` or `mouseReleased`, with its first button, or `mouseMoved`, without.
    func mouse(_ kind: String, x: Double, y: Double) async throws {
        let isPressed = kind != "mouseMoved"
        _ = try await call(
            "Input.dispatchMouseEvent",
            ["type": kind, "x": x, "y": y, "button": isPressed ? "left" : "none", "clickCount": isPressed ? 1 : 0])
    }

    /// Presses a key of the keyboard and lets it go: `Tab`, `Enter`, `Escape`, an arrow.
    func key(_ name: String) async throws {
        let codes = ["Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40]
        guard let code = codes[name] else { throw SupportFailure("no key \(name)") }
        var event: [String: Any] = ["key": name, "code": name, "windowsVirtualKeyCode": code, "type": "keyDown"]
        if name == "Enter" { event["text"] = "\r" }
        _ = try await call("Input.dispatchKeyEvent", event)
        event["type"] = "keyUp"
        event["text"] = nil
        _ = try await call("Input.dispatchKeyEvent", event)
    }

    /// Writes where the keyboard is.
    func type(_ text: String) async throws { _ = try await call("Input.insertText", ["text": text]) }

    /// The share of a core that the page's process takes, all its threads together.
    func processorShare(over time: Duration) async throws -> Double {
        _ = try await call("Performance.enable")
        func seconds() async throws -> Double {
            let metrics = try await call("Performance.getMetrics")["metrics"] as? [[String: Any]] ?? []
            guard let value = metrics.first(where: { $0["name"] as? String == "ProcessTime" })?["value"] as? Double else {
                throw SupportFailure("no ProcessTime in \(metrics)")
            }
            return value
        }
        let (began, before) = (ContinuousClock.now, try await seconds())
        try await Task.sleep(for: time)
        return (try await seconds() - before) / ((ContinuousClock.now - began) / .seconds(1))
    }

    /// What was complained about since the last time.
    func takeComplaints() -> [String] {
        defer { complaints = [] }
        return complaints
    }

    private func call(_ method: String, _ parameters: [String: Any] = [:], whole: Bool = false) async throws -> [String: Any] {
        lastID += 1
        let id = lastID
        var message: [String: Any] = ["id": id, "method": method, "params": parameters]
        if !whole { message["sessionId"] = session }
        try await socket.send(String(decoding: try JSONSerialization.data(withJSONObject: message), as: UTF8.self))
        while case .text(let text)? = try await socket.receive() {
            guard let answer = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { continue }
            note(answer)
            guard answer["id"] as? Int == id else { continue }
            if let fault = answer["error"] { throw SupportFailure("\(method): \(fault)") }
            return answer["result"] as? [String: Any] ?? [:]
        }
        throw SupportFailure("the browser is gone")
    }

    private func note(_ event: [String: Any]) {
        let parameters = event["params"] as? [String: Any] ?? [:]
        switch event["method"] as? String {
        case "Log.entryAdded":
            guard let entry = parameters["entry"] as? [String: Any], entry["level"] as? String == "error" else { return }
            // An interface of another test's network came or went on this machine: what the page needed it asks for again, or fails by.
            if (entry["text"] as? String)?.contains("net::ERR_NETWORK_CHANGED") == true { return }
            complaints.append("\(entry["source"] ?? ""): \(entry["text"] ?? "") \(entry["url"] ?? "")")
        case "Runtime.exceptionThrown":
            let details = parameters["exceptionDetails"] as? [String: Any]
            complaints.append("script: \((details?["exception"] as? [String: Any])?["description"] ?? details?["text"] ?? "")")
        case "Runtime.consoleAPICalled" where ["error", "warning", "assert"].contains(parameters["type"] as? String):
            complaints.append("console: \(parameters["args"] ?? "")")
        default: break
        }
    }
}
