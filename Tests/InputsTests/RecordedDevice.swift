import Foundation
import Posix
import V4L2

/// A device as its ioctl answers: structures of linux/videodev2.h in hex, little endian, each field named. Laid out from the
/// kernel's header and the values such drivers give; no device was at hand to record.
struct RecordedDevice: Sendable {
    let queryCap: [String]
    let formats: [String]
    let sizes: [String]
    let intervals: [String]
    /// The number of the chosen input, and what the device says of its inputs.
    var input: String?
    var inputs: [String] = []

    /// Gives the answer whose leading fields are those of the question; EINVAL where there is none.
    func control(_ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32 {
        // Request codes: direction, size and number. The question's fields: index and type, or format, or format and size.
        switch request {
        case 0x8068_5600: answer(queryCap, 0, argument)
        case 0xc040_5602: answer(formats, 8, argument)
        case 0xc02c_564a: answer(sizes, 8, argument)
        case 0xc034_564b: answer(intervals, 16, argument)
        case 0x8004_5626: answer(input.map { [$0] } ?? [], 0, argument)
        case 0xc050_561a: answer(inputs, 4, argument)
        default: ENOTTY
        }
    }

    private func answer(_ answers: [String], _ leading: Int, _ argument: UnsafeMutableRawPointer) -> Int32 {
        let question = Array(UnsafeRawBufferPointer(start: argument, count: leading))
        guard let bytes = answers.map(RecordedDevice.bytes).first(where: { Array($0.prefix(leading)) == question }) else { return EINVAL }
        argument.copyMemory(from: bytes, byteCount: bytes.count)
        return 0
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.split(separator: "\n").flatMap { $0.prefix { $0 != "/" }.filter(\.isHexDigit) }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...($0 + 1)]), radix: 16)! }
    }
}

extension DeviceCalls {
    /// The machine has these devices, in order; what `present` leaves out is not plugged in.
    static func recorded(_ devices: [RecordedDevice], present: Guarded<[Int]>? = nil) -> DeviceCalls {
        DeviceCalls(
            list: { (present?.withLock { $0 } ?? Array(devices.indices)).map { "/dev/video\($0)" } },
            open: { Int32($0.dropFirst("/dev/video".count)) ?? -1 },
            close: { _ in },
            control: { descriptor, request, argument in devices[Int(descriptor)].control(request, argument) })
    }
}

extension RecordedDevice {
    /// A UVC camera with raw pictures, motion JPEG and H.264.
    static let webcam = RecordedDevice(
        queryCap: [
            """
            75766376 6964656f 00000000 00000000  // driver "uvcvideo"
            48442050 726f2057 65626361 6d204339 32300000 00000000 00000000 00000000  // card "HD Pro Webcam C920"
            7573622d 30303030 3a30303a 31342e30 2d310000 00000000 00000000 00000000  // bus_info "usb-0000:00:14.0-1"
            12010600  // version 6.1.18
            0100a084  // capabilities
            01002004  // device_caps
            00000000 00000000 00000000  // reserved
            """
        ],
        formats: [
            """
            00000000  // index 0
            01000000  // type 1
            00000000  // flags
            59555956 20343a32 3a320000 00000000 00000000 00000000 00000000 00000000  // description "YUYV 4:2:2"
            59555956  // pixelformat YUYV
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """,
            """
            01000000  // index 1
            01000000  // type 1
            01000000  // flags
            482e3236 34000000 00000000 00000000 00000000 00000000 00000000 00000000  // description "H.264"
            48323634  // pixelformat H264
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """,
            """
            02000000  // index 2
            01000000  // type 1
            01000000  // flags
            4d6f7469 6f6e2d4a 50454700 00000000 00000000 00000000 00000000 00000000  // description "Motion-JPEG"
            4d4a5047  // pixelformat MJPG
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """,
        ],
        sizes: [
            """
            00000000  // index 0
            59555956  // pixel_format YUYV
            01000000  // type 1, discrete
            80020000 e0010000  // discrete 640x480
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            48323634  // pixel_format H264
            01000000  // type 1, discrete
            80070000 38040000  // discrete 1920x1080
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            4d4a5047  // pixel_format MJPG
            01000000  // type 1, discrete
            00050000 d0020000  // discrete 1280x720
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            01000000  // index 1
            4d4a5047  // pixel_format MJPG
            01000000  // type 1, discrete
            80070000 38040000  // discrete 1920x1080
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
        ],
        intervals: [
            """
            00000000  // index 0
            59555956  // pixel_format YUYV
            80020000 e0010000  // 640x480
            01000000  // type 1, discrete
            01000000 1e000000  // discrete 1/30 s
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            01000000  // index 1
            59555956  // pixel_format YUYV
            80020000 e0010000  // 640x480
            01000000  // type 1, discrete
            01000000 0f000000  // discrete 1/15 s
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            48323634  // pixel_format H264
            80070000 38040000  // 1920x1080
            01000000  // type 1, discrete
            01000000 1e000000  // discrete 1/30 s
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            4d4a5047  // pixel_format MJPG
            00050000 d0020000  // 1280x720
            01000000  // type 1, discrete
            e9030000 30750000  // discrete 1001/30000 s
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            4d4a5047  // pixel_format MJPG
            80070000 38040000  // 1920x1080
            01000000  // type 1, discrete
            01000000 1e000000  // discrete 1/30 s
            00000000 00000000 00000000 00000000  // rest of the union
            00000000 00000000  // reserved
            """,
        ])

    /// The chosen input of a grabber for HDMI.
    /// - Parameter status: 32 bits, little endian; 2 is no signal, 0x10000 no synchronisation.
    static func grabber(status: String) -> RecordedDevice {
        RecordedDevice(
            queryCap: [], formats: [], sizes: [], intervals: [], input: "01000000  // the second one",
            inputs: [
                """
                01000000  // index 1
                48444d49 20300000 00000000 00000000 00000000 00000000 00000000 00000000  // name "HDMI 0"
                02000000  // type 2, camera
                00000000  // audioset
                00000000  // tuner
                00000000 00000000  // std
                \(status)  // status
                02000000  // capabilities
                00000000 00000000 00000000 00000000  // reserved, and the rest of the alignment
                """
            ])
    }

    /// The metadata node beside it: the same device, whose own capabilities have no pictures.
    static let metadata = RecordedDevice(
        queryCap: [
            """
            75766376 6964656f 00000000 00000000  // driver "uvcvideo"
            48442050 726f2057 65626361 6d204339 32300000 00000000 00000000 00000000  // card "HD Pro Webcam C920"
            7573622d 30303030 3a30303a 31342e30 2d310000 00000000 00000000 00000000  // bus_info "usb-0000:00:14.0-1"
            12010600  // version 6.1.18
            0100a084  // capabilities
            0000a004  // device_caps
            00000000 00000000 00000000  // reserved
            """
        ],
        formats: [],
        sizes: [],
        intervals: [])

    /// A sensor on CSI: sizes by steps, and rates as a range.
    static let sensor = RecordedDevice(
        queryCap: [
            """
            756e6963 616d0000 00000000 00000000  // driver "unicam"
            756e6963 616d0000 00000000 00000000 00000000 00000000 00000000 00000000  // card "unicam"
            706c6174 666f726d 3a666538 30313030 302e6373 69000000 00000000 00000000  // bus_info "platform:fe801000.csi"
            12010600  // version 6.1.18
            01002085  // capabilities
            01002005  // device_caps
            00000000 00000000 00000000  // reserved
            """
        ],
        formats: [
            """
            00000000  // index 0
            01000000  // type 1
            00000000  // flags
            55595659 20343a32 3a320000 00000000 00000000 00000000 00000000 00000000  // description "UYVY 4:2:2"
            55595659  // pixelformat UYVY
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """
        ],
        sizes: [
            """
            00000000  // index 0
            55595659  // pixel_format UYVY
            03000000  // type 3, stepwise
            10000000 80070000 02000000 10000000 38040000 02000000  // stepwise: width 16 to 1920 by 2, height 16 to 1080 by 2
            00000000 00000000  // reserved
            """
        ],
        intervals: [
            """
            00000000  // index 0
            55595659  // pixel_format UYVY
            80020000 68010000  // 640x360
            02000000  // type 2, continuous
            01000000 3c000000 01000000 14000000 01000000 01000000  // stepwise: 1/60 s to 1/20 s by 1/1
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            55595659  // pixel_format UYVY
            80020000 e0010000  // 640x480
            02000000  // type 2, continuous
            01000000 3c000000 01000000 14000000 01000000 01000000  // stepwise: 1/60 s to 1/20 s by 1/1
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            55595659  // pixel_format UYVY
            00050000 d0020000  // 1280x720
            02000000  // type 2, continuous
            01000000 3c000000 01000000 14000000 01000000 01000000  // stepwise: 1/60 s to 1/20 s by 1/1
            00000000 00000000  // reserved
            """,
            """
            00000000  // index 0
            55595659  // pixel_format UYVY
            80070000 38040000  // 1920x1080
            02000000  // type 2, continuous
            01000000 1e000000 01000000 14000000 01000000 01000000  // stepwise: 1/30 s to 1/20 s by 1/1
            00000000 00000000  // reserved
            """,
        ])

    /// A memory-to-memory encoder with multi-planar buffers.
    static let encoder = RecordedDevice(
        queryCap: [
            """
            62636d32 3833352d 636f6465 63000000  // driver "bcm2835-codec"
            62636d32 3833352d 636f6465 632d656e 636f6465 00000000 00000000 00000000  // card "bcm2835-codec-encode"
            706c6174 666f726d 3a62636d 32383335 2d636f64 65630000 00000000 00000000  // bus_info "platform:bcm2835-codec"
            12010600  // version 6.1.18
            00402084  // capabilities
            00402004  // device_caps
            00000000 00000000 00000000  // reserved
            """
        ],
        formats: [
            """
            00000000  // index 0
            09000000  // type 9
            01000000  // flags
            482e3236 34000000 00000000 00000000 00000000 00000000 00000000 00000000  // description "H.264"
            48323634  // pixelformat H264
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """,
            """
            01000000  // index 1
            09000000  // type 9
            01000000  // flags
            4d6f7469 6f6e2d4a 50454700 00000000 00000000 00000000 00000000 00000000  // description "Motion-JPEG"
            4d4a5047  // pixelformat MJPG
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """,
        ],
        sizes: [],
        intervals: [])

    /// A memory-to-memory decoder: its capture side gives raw pictures.
    static let decoder = RecordedDevice(
        queryCap: [
            """
            62636d32 3833352d 636f6465 63000000  // driver "bcm2835-codec"
            62636d32 3833352d 636f6465 632d6465 636f6465 00000000 00000000 00000000  // card "bcm2835-codec-decode"
            706c6174 666f726d 3a62636d 32383335 2d636f64 65630000 00000000 00000000  // bus_info "platform:bcm2835-codec"
            12010600  // version 6.1.18
            00402084  // capabilities
            00402004  // device_caps
            00000000 00000000 00000000  // reserved
            """
        ],
        formats: [
            """
            00000000  // index 0
            09000000  // type 9
            00000000  // flags
            506c616e 61722059 55562034 3a323a30 00000000 00000000 00000000 00000000  // description "Planar YUV 4:2:0"
            59553132  // pixelformat YU12
            00000000  // mbus_code
            00000000 00000000 00000000  // reserved
            """
        ],
        sizes: [],
        intervals: [])
}
