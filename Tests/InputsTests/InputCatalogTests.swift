import Foundation
import Logging
import Posix
import Testing
import V4L2
import Wire

@testable import Inputs

private let quiet = Log("test", threshold: .error)

@Suite("Input catalog") struct InputCatalogTests {
    private let folder = Scratch()

    @Test("the test input comes first, then cameras by their place, then files by their name")
    func listing() async throws {
        try folder.write("b.mp4")
        try folder.write("a.WAV")
        try folder.write("notes.txt")
        try folder.write(".hidden.mp4")
        try FileManager.default.createDirectory(atPath: "\(folder.path)/folder.mp4", withIntermediateDirectories: false)
        let catalog = try InputCatalog(clips: folder.path, calls: .recorded([.webcam, .metadata, .sensor, .encoder, .webcam]), log: quiet)
        let inputs = await catalog.inputs()
        #expect(
            inputs.map(\.id) == [
                "test", "v4l2:usb-0000:00:14.0-1", "v4l2:platform:fe801000.csi", "v4l2:usb-0000:00:14.0-1#2", "file:a.WAV", "file:b.mp4",
            ])
        #expect(inputs.map(\.media) == [.both, .video, .video, .video, .audio, .both])
        #expect(inputs[1].modes.count == 5)
        await catalog.close()
    }

    @Test(
        "a name that leads out of the folder, or to no regular file of a known kind, opens nothing",
        arguments: [
            "file:../secret.mp4", "file:/etc/passwd", "file:sub/../../secret.mp4", "file:link.mp4", "file:fifo.mp4", "file:folder.mp4",
            "file:notes.txt", "file:", "file:.mp4", "file:nosuch.mp4", "file:sub/inner.mp4", "v4l2:nosuch", "alsa:nosuch,0", "", "testx",
        ])
    func escapes(id: String) async throws {
        let clips = "\(folder.path)/clips"
        try FileManager.default.createDirectory(atPath: "\(clips)/sub", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: "\(clips)/folder.mp4", withIntermediateDirectories: true)
        try folder.write("secret.mp4")
        try folder.write("clips/sub/inner.mp4")
        try folder.write("clips/notes.txt")
        try FileManager.default.createSymbolicLink(atPath: "\(clips)/link.mp4", withDestinationPath: "../secret.mp4")
        #expect(mkfifo("\(clips)/fifo.mp4", 0o600) == 0)
        let catalog = try InputCatalog(clips: clips, calls: .recorded([]), log: quiet)
        await #expect(throws: InputFault.self) { try await catalog.open(id) }
        await catalog.close()
    }

    @Test("a file stays open under its own path when its name is gone")
    func opening() async throws {
        try folder.write("clip.mp4")
        let catalog = try InputCatalog(clips: folder.path, calls: .recorded([]), log: quiet)
        guard case .clip(let clip) = try await catalog.open("file:clip.mp4") else { return #expect(Bool(false), "not a file") }
        try FileManager.default.removeItem(atPath: "\(folder.path)/clip.mp4")
        #expect(FileManager.default.contents(atPath: clip.path) == Data("clip.mp4".utf8))
        await catalog.close()
    }

    @Test("a camera that is plugged in, and a file that is copied, show up by themselves")
    func hotPlug() async throws {
        let devices = Scratch()
        let present = Guarded<[Int]>([])
        let catalog = try InputCatalog(
            clips: folder.path, devices: devices.path, calls: .recorded([.webcam], present: present), log: quiet)
        var changes = await catalog.changes().makeAsyncIterator()
        #expect(await changes.next()?.map(\.id) == ["test"])
        present.withLock { $0 = [0] }
        try devices.write("video0")
        #expect(await changes.next()?.map(\.id) == ["test", "v4l2:usb-0000:00:14.0-1"])
        try folder.write("new.mkv")
        #expect(await changes.next()?.map(\.id) == ["test", "v4l2:usb-0000:00:14.0-1", "file:new.mkv"])
        present.withLock { $0 = [] }
        try FileManager.default.removeItem(atPath: "\(devices.path)/video0")
        #expect(await changes.next()?.map(\.id) == ["test", "file:new.mkv"])
        // Who misses it is told its name; of one that was never there nobody knows any.
        let id = "v4l2:usb-0000:00:14.0-1"
        await #expect(throws: InputFault.gone(id, name: "HD Pro Webcam C920")) { try await catalog.open(id) }
        await #expect(throws: InputFault.unknown("v4l2:nosuch")) { try await catalog.open("v4l2:nosuch") }
        await catalog.close()
        #expect(await changes.next() == nil)
    }
}

@Suite("Sound cards") struct SoundCardsTests {
    private let cards = """
         0 [PCH            ]: HDA-Intel - HDA Intel PCH
                              HDA Intel PCH at 0xf7f10000 irq 31
         1 [C920           ]: USB-Audio - HD Pro Webcam C920
                              HD Pro Webcam C920 at usb-0000:00:14.0-1, high speed
         2 [bad! id        ]: USB-Audio - Noname
        """
    private let devices = """
        00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1
        00-03: HDMI 0 : HDMI 0 : playback 1
        01-00: USB Audio : USB Audio : capture 1
        02-01: Line : Line : capture 1
        nonsense
        """

    @Test("devices that record are found with the card's own id")
    func parsing() {
        #expect(
            SoundCards.parse(cards: cards, devices: devices) == [
                .init(card: 0, device: 0, cardID: "PCH", name: "HDA Intel PCH: ALC257 Analog"),
                .init(card: 1, device: 0, cardID: "C920", name: "HD Pro Webcam C920: USB Audio"),
                .init(card: 2, device: 1, cardID: "card2", name: "Noname: Line"),
            ])
    }

    @Test("a machine without sound has none, and half a text is read as far as it goes")
    func absent() {
        #expect(SoundCards.parse(cards: "--- no soundcards ---\n", devices: "").isEmpty)
        #expect(SoundCards.parse(cards: "", devices: "01-00: USB Audio : USB Audio : capture 1").map(\.cardID) == ["card1"])
        #expect(SoundCards.all(root: "/nonexistent").isEmpty)
    }

    @Test("they become inputs that open as ALSA devices by number")
    func catalog() async throws {
        let root = Scratch()
        try root.write("cards", cards)
        try root.write("pcm", devices)
        let catalog = try InputCatalog(clips: nil, soundRoot: root.path, calls: .recorded([]), log: quiet)
        #expect(await catalog.inputs().map(\.id) == ["test", "alsa:PCH,0", "alsa:C920,0", "alsa:card2,1"])
        guard case .microphone(let microphone) = try await catalog.open("alsa:C920,0") else { return #expect(Bool(false), "no microphone") }
        #expect(microphone.device == "hw:1,0")
        await catalog.close()
    }
}

/// A folder that goes with the test.
private final class Scratch: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/strata-inputs-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A file that holds its own name, or `text`.
    func write(_ name: String, _ text: String? = nil) throws {
        try Data((text ?? name).utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
}
