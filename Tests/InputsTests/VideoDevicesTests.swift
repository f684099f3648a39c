import Testing
import V4L2

@Suite("Video devices") struct VideoDevicesTests {
    @Test("a camera tells its name, its place and every mode")
    func camera() throws {
        let device = try #require(VideoDevices.all(.recorded([.webcam])).first)
        #expect(device.card == "HD Pro Webcam C920")
        #expect(device.bus == "usb-0000:00:14.0-1")
        #expect(device.driver == "uvcvideo")
        guard case .capture(let modes) = device.role else { return #expect(Bool(false), "not a camera") }
        #expect(
            modes.map { "\($0.format) \($0.width)x\($0.height) \($0.frames)/\($0.frameSeconds)" } == [
                "YUYV 640x480 30/1", "YUYV 640x480 15/1", "H264 1920x1080 30/1", "MJPG 1280x720 30000/1001", "MJPG 1920x1080 30/1",
            ])
    }

    @Test("a metadata node of a camera is none")
    func metadata() {
        #expect(VideoDevices.all(.recorded([.metadata])).isEmpty)
    }

    @Test("sizes by steps and rates as a range become the usual ones")
    func stepwise() throws {
        let device = try #require(VideoDevices.all(.recorded([.sensor])).first)
        guard case .capture(let modes) = device.role else { return #expect(Bool(false), "not a camera") }
        #expect(Set(modes.map { "\($0.width)x\($0.height)" }) == ["640x360", "640x480", "1280x720", "1920x1080"])
        #expect(modes.filter { $0.width == 1280 }.map(\.frames) == [24, 25, 30, 50, 60])
        #expect(modes.filter { $0.width == 1920 }.map(\.frames) == [24, 25, 30])
    }

    @Test("a memory-to-memory device that makes H.264 is an encoder, one that makes raw pictures is not")
    func encoders() {
        let devices = VideoDevices.all(.recorded([.encoder, .decoder]))
        #expect(devices.map(\.role) == [.encoder(["H264"])])
    }

    @Test("a device that fails any of its calls is left out or shortened, and nothing else happens")
    func failures() {
        for failing in 0..<40 {
            let count = Counter()
            var calls = DeviceCalls.recorded([.webcam])
            let answer = calls.control
            calls.control = { descriptor, request, argument in
                count.next() == failing ? 5 : answer(descriptor, request, argument)
            }
            #expect(VideoDevices.all(calls).count <= 1)
        }
    }

    @Test("a driver that never ends its list does not hang us")
    func endless() throws {
        var calls = DeviceCalls.recorded([.webcam])
        let answer = calls.control
        calls.control = { descriptor, request, argument in
            // Every index gets the answer of index 0.
            if request != 0x8068_5600 { argument.storeBytes(of: 0, as: UInt32.self) }
            return answer(descriptor, request, argument)
        }
        let device = try #require(VideoDevices.all(calls).first)
        guard case .capture(let modes) = device.role else { return #expect(Bool(false), "not a camera") }
        #expect(modes.count == 256)
    }

    @Test("a grabber says that nothing is plugged into its chosen input; one that does not know its inputs says nothing")
    func signal() {
        var calls = DeviceCalls.recorded([
            .grabber(status: "00000000"), .grabber(status: "02000000"), .grabber(status: "00000100"), .webcam,
        ])
        #expect(VideoDevices.hasSignal("/dev/video0", calls) == true)
        #expect(VideoDevices.hasSignal("/dev/video1", calls) == false)
        #expect(VideoDevices.hasSignal("/dev/video2", calls) == false)
        #expect(VideoDevices.hasSignal("/dev/video3", calls) == nil)
        calls.open = { _ in -1 }
        #expect(VideoDevices.hasSignal("/dev/video0", calls) == nil)
    }

    @Test("a machine without devices has none")
    func none() {
        var calls = DeviceCalls.recorded([])
        #expect(VideoDevices.all(calls).isEmpty)
        calls.list = { ["/dev/video7"] }
        calls.open = { _ in -1 }
        #expect(VideoDevices.all(calls).isEmpty)
    }
}

private final class Counter: @unchecked Sendable {
    // One thread: the enumeration's.
    private var value = -1
    func next() -> Int {
        value += 1
        return value
    }
}
