package import Logging
import Posix
package import V4L2
package import Wire

/// What a broadcast of this board can show, as it changes, and the way to each input.
///
/// Asking devices may wait for their drivers, so it is done on a loop of the catalog's own.
package actor InputCatalog {
    package static let testID = "test"

    private nonisolated let loop: Loop
    private let clips: String?
    private let calls: DeviceCalls
    private let soundRoot: String
    private let log: Log
    private let watches: [FolderWatch]
    private var readers: [AsyncStream<[Input]>.Continuation] = []
    private var last: [Input] = []
    private var isRefreshDue = false
    /// What the devices are called that were there, by their ids: for whoever misses one.
    private var names: [String: String] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - clips: the folder of media files; nil offers none.
    ///   - devices: the folder in which device nodes come and go.
    /// - Throws: `SystemError` where the system has no thread or descriptor left.
    package init(
        clips: String?, devices: String = "/dev", soundRoot: String = "/proc/asound", calls: DeviceCalls = .system, log: Log
    ) throws {
        loop = try Loop(name: "inputs")
        self.clips = clips
        self.calls = calls
        self.soundRoot = soundRoot
        self.log = log
        watches = try [devices, devices + "/snd", clips].compactMap { $0 }.compactMap { try FolderWatch($0) }
    }

    /// Everything that is there now, the test input first.
    package func inputs() -> [Input] {
        let test = Input(id: InputCatalog.testID, kind: .test, name: "Test picture and tone", media: .both)
        var found = [test] + cameras().map(\.input) + microphones().map(\.input)
        if names.count > WireLimits.listEntries { names = [:] }
        for device in found.dropFirst() { names[device.id] = device.name }
        if let clips {
            do {
                found += try ClipFolder.inputs(of: clips)
            } catch {
                log.warning("media files cannot be listed", ["reason": .text(error.description)])
            }
        }
        return Array(found.prefix(WireLimits.listEntries))
    }

    /// The inputs now, and again each time they have changed. Ends with `close`.
    package func changes() -> AsyncStream<[Input]> {
        let (stream, continuation) = AsyncStream.makeStream(of: [Input].self, bufferingPolicy: .bufferingNewest(1))
        if readers.isEmpty { watch() }
        last = inputs()
        continuation.yield(last)
        readers.append(continuation)
        return stream
    }

    /// Looks an id up and opens what can be opened ahead of the pipeline.
    package func open(_ id: String) throws(InputFault) -> OpenInput {
        if id == InputCatalog.testID { return .test }
        if let name = InputCatalog.suffix(of: id, after: "file:") {
            guard let clips else { throw .unknown(id) }
            return .clip(try ClipFolder.open(name, in: clips))
        }
        if let camera = cameras().first(where: { $0.input.id == id }) {
            return .camera(Camera(id: id, path: camera.path, modes: camera.input.modes))
        }
        if let microphone = microphones().first(where: { $0.input.id == id }) {
            return .microphone(Microphone(id: id, device: microphone.device))
        }
        throw names[id].map { .gone(id, name: $0) } ?? .unknown(id)
    }

    /// Ends the watching and the thread; the catalog is not used afterwards.
    package func close() {
        for watch in watches { watch.cancel() }
        for reader in readers { reader.finish() }
        readers = []
        loop.stop()
    }

    // MARK: - Devices

    private func cameras() -> [(input: Input, path: String)] {
        var seen: [String: Int] = [:]
        return VideoDevices.all(calls).compactMap { device in
            guard case .capture(let modes) = device.role else { return nil }
            let place = device.bus.isEmpty ? device.path : device.bus
            let count = seen[place, default: 0] + 1
            seen[place] = count
            // A second picture of the same device, e.g. an encoder beside the raw one.
            let id = count == 1 ? "v4l2:\(place)" : "v4l2:\(place)#\(count)"
            return (Input(id: id, kind: .v4l2, name: device.card, media: .video, modes: modes.map(VideoMode.init)), device.path)
        }
    }

    private func microphones() -> [(input: Input, device: String)] {
        SoundCards.all(root: soundRoot).map { capture in
            let input = Input(id: "alsa:\(capture.cardID),\(capture.device)", kind: .alsa, name: capture.name, media: .audio)
            return (input, "hw:\(capture.card),\(capture.device)")
        }
    }

    private static func suffix(of id: String, after prefix: String) -> String? {
        id.hasPrefix(prefix) ? String(id.dropFirst(prefix.count)) : nil
    }

    // MARK: - Changes

    private func watch() {
        for watch in watches {
            do {
                try watch.start(on: loop) { [weak self] in
                    guard let self else { return }
                    self.assumeIsolated { $0.refreshSoon() }
                }
            } catch {
                log.warning("a folder cannot be watched", ["folder": .text(watch.path), "reason": .text("\(error)")])
            }
        }
    }

    /// A device node appears, then gets its owner and its mode; a copied file is written for a while: look when it is quiet.
    private func refreshSoon() {
        guard !isRefreshDue else { return }
        isRefreshDue = true
        loop.timer(after: .milliseconds(300)) { [weak self] in
            self?.assumeIsolated { $0.refresh() }
        }
    }

    private func refresh() {
        isRefreshDue = false
        let now = inputs()
        guard now != last else { return }
        last = now
        for reader in readers { reader.yield(now) }
    }
}

extension VideoMode {
    fileprivate init(_ mode: VideoDevice.Mode) {
        self.init(width: mode.width, height: mode.height, frames: mode.frames, frameSeconds: mode.frameSeconds, format: mode.format)
    }
}
