use super::*;

/// 2026-01-02 03:04:05.060708, 1969-07-20 20:17:40, 2026-11-15 13:00:00, 0099-03-01 00:00:00, +12345-01-01 12:30:00.
const MOMENTS: [i64; 5] = [
    1_767_323_045_060_708,
    -14_182_940_000_000,
    1_794_747_600_000_000,
    -59_037_897_600_000_000,
    327_403_427_400_000_000,
];

/// What Spark 4.3.0's `date_format` gives for the moments above: zone, pattern, texts.
const FORMATTED: &[(&str, &str, [&str; 5])] = &[
    (
        "UTC",
        "yyyy-MM-dd HH:mm:ss.SSSSSS",
        [
            "2026-01-02 03:04:05.060708",
            "1969-07-20 20:17:40.000000",
            "2026-11-15 13:00:00.000000",
            "0099-03-01 00:00:00.000000",
            "+12345-01-01 12:30:00.000000",
        ],
    ),
    ("UTC", "yy", ["26", "69", "26", "99", "45"]),
    ("UTC", "y", ["2026", "1969", "2026", "99", "12345"]),
    ("UTC", "yyy", ["2026", "1969", "2026", "099", "12345"]),
    ("UTC", "yyyyy", ["02026", "01969", "02026", "00099", "12345"]),
    (
        "UTC",
        "yyyyyy",
        ["002026", "001969", "002026", "000099", "012345"],
    ),
    ("UTC", "M", ["1", "7", "11", "3", "1"]),
    ("UTC", "MM", ["01", "07", "11", "03", "01"]),
    ("UTC", "MMM", ["Jan", "Jul", "Nov", "Mar", "Jan"]),
    ("UTC", "MMMM", ["January", "July", "November", "March", "January"]),
    ("UTC", "L", ["1", "7", "11", "3", "1"]),
    ("UTC", "LL", ["01", "07", "11", "03", "01"]),
    ("UTC", "LLL", ["Jan", "Jul", "Nov", "Mar", "Jan"]),
    ("UTC", "LLLL", ["January", "July", "November", "March", "January"]),
    ("UTC", "d", ["2", "20", "15", "1", "1"]),
    ("UTC", "dd", ["02", "20", "15", "01", "01"]),
    ("UTC", "D", ["2", "201", "319", "60", "1"]),
    ("UTC", "DD", ["02", "201", "319", "60", "01"]),
    ("UTC", "DDD", ["002", "201", "319", "060", "001"]),
    ("UTC", "E", ["Fri", "Sun", "Sun", "Sun", "Mon"]),
    ("UTC", "EE", ["Fri", "Sun", "Sun", "Sun", "Mon"]),
    ("UTC", "EEE", ["Fri", "Sun", "Sun", "Sun", "Mon"]),
    ("UTC", "EEEE", ["Friday", "Sunday", "Sunday", "Sunday", "Monday"]),
    ("UTC", "F", ["2", "6", "1", "1", "1"]),
    ("UTC", "a", ["AM", "PM", "PM", "AM", "PM"]),
    ("UTC", "h", ["3", "8", "1", "12", "12"]),
    ("UTC", "hh", ["03", "08", "01", "12", "12"]),
    ("UTC", "H", ["3", "20", "13", "0", "12"]),
    ("UTC", "HH", ["03", "20", "13", "00", "12"]),
    ("UTC", "k", ["3", "20", "13", "24", "12"]),
    ("UTC", "kk", ["03", "20", "13", "24", "12"]),
    ("UTC", "K", ["3", "8", "1", "0", "0"]),
    ("UTC", "KK", ["03", "08", "01", "00", "00"]),
    ("UTC", "m", ["4", "17", "0", "0", "30"]),
    ("UTC", "mm", ["04", "17", "00", "00", "30"]),
    ("UTC", "s", ["5", "40", "0", "0", "0"]),
    ("UTC", "ss", ["05", "40", "00", "00", "00"]),
    ("UTC", "S", ["0", "0", "0", "0", "0"]),
    ("UTC", "SS", ["06", "00", "00", "00", "00"]),
    ("UTC", "SSS", ["060", "000", "000", "000", "000"]),
    (
        "UTC",
        "SSSSSSSSS",
        ["060708000", "000000000", "000000000", "000000000", "000000000"],
    ),
    ("UTC", "VV", ["UTC", "UTC", "UTC", "UTC", "UTC"]),
    ("UTC", "z", ["UTC", "UTC", "UTC", "UTC", "UTC"]),
    ("UTC", "zzz", ["UTC", "UTC", "UTC", "UTC", "UTC"]),
    (
        "UTC",
        "zzzz",
        [
            "Coordinated Universal Time",
            "Coordinated Universal Time",
            "Coordinated Universal Time",
            "Coordinated Universal Time",
            "Coordinated Universal Time",
        ],
    ),
    ("UTC", "O", ["GMT", "GMT", "GMT", "GMT", "GMT"]),
    ("UTC", "OOOO", ["GMT", "GMT", "GMT", "GMT", "GMT"]),
    ("UTC", "X", ["Z", "Z", "Z", "Z", "Z"]),
    ("UTC", "XX", ["Z", "Z", "Z", "Z", "Z"]),
    ("UTC", "XXX", ["Z", "Z", "Z", "Z", "Z"]),
    ("UTC", "XXXX", ["Z", "Z", "Z", "Z", "Z"]),
    ("UTC", "XXXXX", ["Z", "Z", "Z", "Z", "Z"]),
    ("UTC", "x", ["+00", "+00", "+00", "+00", "+00"]),
    ("UTC", "xx", ["+0000", "+0000", "+0000", "+0000", "+0000"]),
    ("UTC", "xxx", ["+00:00", "+00:00", "+00:00", "+00:00", "+00:00"]),
    ("UTC", "xxxx", ["+0000", "+0000", "+0000", "+0000", "+0000"]),
    ("UTC", "xxxxx", ["+00:00", "+00:00", "+00:00", "+00:00", "+00:00"]),
    ("UTC", "Z", ["+0000", "+0000", "+0000", "+0000", "+0000"]),
    ("UTC", "ZZ", ["+0000", "+0000", "+0000", "+0000", "+0000"]),
    ("UTC", "ZZZ", ["+0000", "+0000", "+0000", "+0000", "+0000"]),
    ("UTC", "ZZZZ", ["GMT", "GMT", "GMT", "GMT", "GMT"]),
    ("UTC", "ZZZZZ", ["Z", "Z", "Z", "Z", "Z"]),
    ("UTC", "Q", ["1", "3", "4", "1", "1"]),
    ("UTC", "QQ", ["01", "03", "04", "01", "01"]),
    ("UTC", "QQQ", ["Q1", "Q3", "Q4", "Q1", "Q1"]),
    (
        "UTC",
        "QQQQ",
        [
            "1st quarter",
            "3rd quarter",
            "4th quarter",
            "1st quarter",
            "1st quarter",
        ],
    ),
    ("UTC", "q", ["1", "3", "4", "1", "1"]),
    ("UTC", "qq", ["01", "03", "04", "01", "01"]),
    ("UTC", "qqq", ["Q1", "Q3", "Q4", "Q1", "Q1"]),
    (
        "UTC",
        "qqqq",
        [
            "1st quarter",
            "3rd quarter",
            "4th quarter",
            "1st quarter",
            "1st quarter",
        ],
    ),
    ("UTC", "G", ["AD", "AD", "AD", "AD", "AD"]),
    ("UTC", "GG", ["AD", "AD", "AD", "AD", "AD"]),
    ("UTC", "GGG", ["AD", "AD", "AD", "AD", "AD"]),
    (
        "UTC",
        "GGGG",
        [
            "Anno Domini",
            "Anno Domini",
            "Anno Domini",
            "Anno Domini",
            "Anno Domini",
        ],
    ),
    ("UTC", "g", ["61042", "40422", "61359", "-642722", "3829978"]),
    ("UTC", "''", ["'", "'", "'", "'", "'"]),
    ("UTC", "'T'", ["T", "T", "T", "T", "T"]),
    (
        "UTC",
        "yyyy'o''clock'",
        [
            "2026o'clock",
            "1969o'clock",
            "2026o'clock",
            "0099o'clock",
            "+12345o'clock",
        ],
    ),
    ("UTC", "[yyyy]", ["2026", "1969", "2026", "0099", "+12345"]),
    ("UTC", "[yy[MM]]", ["2601", "6907", "2611", "9903", "4501"]),
    ("UTC", "[", ["", "", "", "", ""]),
    (
        "UTC",
        "yyyy/MM/dd",
        [
            "2026/01/02",
            "1969/07/20",
            "2026/11/15",
            "0099/03/01",
            "+12345/01/01",
        ],
    ),
    ("UTC", "", ["", "", "", "", ""]),
    (
        "Europe/Paris",
        "VV",
        [
            "Europe/Paris",
            "Europe/Paris",
            "Europe/Paris",
            "Europe/Paris",
            "Europe/Paris",
        ],
    ),
    ("Europe/Paris", "z", ["CET", "CET", "CET", "CET", "CET"]),
    (
        "Europe/Paris",
        "zzzz",
        [
            "Central European Standard Time",
            "Central European Standard Time",
            "Central European Standard Time",
            "Central European Standard Time",
            "Central European Standard Time",
        ],
    ),
    (
        "Europe/Paris",
        "O",
        ["GMT+1", "GMT+1", "GMT+1", "GMT+0:09:21", "GMT+1"],
    ),
    (
        "Europe/Paris",
        "OOOO",
        ["GMT+01:00", "GMT+01:00", "GMT+01:00", "GMT+00:09:21", "GMT+01:00"],
    ),
    ("Europe/Paris", "X", ["+01", "+01", "+01", "+0009", "+01"]),
    (
        "Europe/Paris",
        "XX",
        ["+0100", "+0100", "+0100", "+0009", "+0100"],
    ),
    (
        "Europe/Paris",
        "XXX",
        ["+01:00", "+01:00", "+01:00", "+00:09", "+01:00"],
    ),
    (
        "Europe/Paris",
        "XXXX",
        ["+0100", "+0100", "+0100", "+000921", "+0100"],
    ),
    (
        "Europe/Paris",
        "XXXXX",
        ["+01:00", "+01:00", "+01:00", "+00:09:21", "+01:00"],
    ),
    ("Europe/Paris", "x", ["+01", "+01", "+01", "+0009", "+01"]),
    (
        "Europe/Paris",
        "xxxx",
        ["+0100", "+0100", "+0100", "+000921", "+0100"],
    ),
    ("Europe/Paris", "Z", ["+0100", "+0100", "+0100", "+0009", "+0100"]),
    (
        "Europe/Paris",
        "ZZZZ",
        ["GMT+01:00", "GMT+01:00", "GMT+01:00", "GMT+00:09:21", "GMT+01:00"],
    ),
    (
        "Europe/Paris",
        "ZZZZZ",
        ["+01:00", "+01:00", "+01:00", "+00:09:21", "+01:00"],
    ),
    (
        "Europe/Paris",
        "yyyy-MM-dd HH:mm",
        [
            "2026-01-02 04:04",
            "1969-07-20 21:17",
            "2026-11-15 14:00",
            "0099-03-01 00:09",
            "+12345-01-01 13:30",
        ],
    ),
    (
        "America/New_York",
        "VV",
        [
            "America/New_York",
            "America/New_York",
            "America/New_York",
            "America/New_York",
            "America/New_York",
        ],
    ),
    ("America/New_York", "z", ["EST", "EDT", "EST", "EST", "EST"]),
    (
        "America/New_York",
        "zzzz",
        [
            "Eastern Standard Time",
            "Eastern Daylight Time",
            "Eastern Standard Time",
            "Eastern Standard Time",
            "Eastern Standard Time",
        ],
    ),
    (
        "America/New_York",
        "O",
        ["GMT-5", "GMT-4", "GMT-5", "GMT-4:56:02", "GMT-5"],
    ),
    (
        "America/New_York",
        "OOOO",
        ["GMT-05:00", "GMT-04:00", "GMT-05:00", "GMT-04:56:02", "GMT-05:00"],
    ),
    ("America/New_York", "X", ["-05", "-04", "-05", "-0456", "-05"]),
    (
        "America/New_York",
        "XX",
        ["-0500", "-0400", "-0500", "-0456", "-0500"],
    ),
    (
        "America/New_York",
        "XXX",
        ["-05:00", "-04:00", "-05:00", "-04:56", "-05:00"],
    ),
    (
        "America/New_York",
        "XXXX",
        ["-0500", "-0400", "-0500", "-045602", "-0500"],
    ),
    (
        "America/New_York",
        "XXXXX",
        ["-05:00", "-04:00", "-05:00", "-04:56:02", "-05:00"],
    ),
    ("America/New_York", "x", ["-05", "-04", "-05", "-0456", "-05"]),
    (
        "America/New_York",
        "xxxx",
        ["-0500", "-0400", "-0500", "-045602", "-0500"],
    ),
    (
        "America/New_York",
        "Z",
        ["-0500", "-0400", "-0500", "-0456", "-0500"],
    ),
    (
        "America/New_York",
        "ZZZZ",
        ["GMT-05:00", "GMT-04:00", "GMT-05:00", "GMT-04:56:02", "GMT-05:00"],
    ),
    (
        "America/New_York",
        "ZZZZZ",
        ["-05:00", "-04:00", "-05:00", "-04:56:02", "-05:00"],
    ),
    (
        "America/New_York",
        "yyyy-MM-dd HH:mm",
        [
            "2026-01-01 22:04",
            "1969-07-20 16:17",
            "2026-11-15 08:00",
            "0099-02-28 19:03",
            "+12345-01-01 07:30",
        ],
    ),
    ("+05:30", "VV", ["+05:30", "+05:30", "+05:30", "+05:30", "+05:30"]),
    ("+05:30", "z", ["+05:30", "+05:30", "+05:30", "+05:30", "+05:30"]),
    (
        "+05:30",
        "zzzz",
        ["+05:30", "+05:30", "+05:30", "+05:30", "+05:30"],
    ),
    (
        "+05:30",
        "O",
        ["GMT+5:30", "GMT+5:30", "GMT+5:30", "GMT+5:30", "GMT+5:30"],
    ),
    (
        "+05:30",
        "OOOO",
        ["GMT+05:30", "GMT+05:30", "GMT+05:30", "GMT+05:30", "GMT+05:30"],
    ),
    ("+05:30", "X", ["+0530", "+0530", "+0530", "+0530", "+0530"]),
    ("+05:30", "XX", ["+0530", "+0530", "+0530", "+0530", "+0530"]),
    (
        "+05:30",
        "XXX",
        ["+05:30", "+05:30", "+05:30", "+05:30", "+05:30"],
    ),
    ("+05:30", "XXXX", ["+0530", "+0530", "+0530", "+0530", "+0530"]),
    (
        "+05:30",
        "XXXXX",
        ["+05:30", "+05:30", "+05:30", "+05:30", "+05:30"],
    ),
    ("+05:30", "x", ["+0530", "+0530", "+0530", "+0530", "+0530"]),
    ("+05:30", "xxxx", ["+0530", "+0530", "+0530", "+0530", "+0530"]),
    ("+05:30", "Z", ["+0530", "+0530", "+0530", "+0530", "+0530"]),
    (
        "+05:30",
        "ZZZZ",
        ["GMT+05:30", "GMT+05:30", "GMT+05:30", "GMT+05:30", "GMT+05:30"],
    ),
    (
        "+05:30",
        "ZZZZZ",
        ["+05:30", "+05:30", "+05:30", "+05:30", "+05:30"],
    ),
    (
        "+05:30",
        "yyyy-MM-dd HH:mm",
        [
            "2026-01-02 08:34",
            "1969-07-21 01:47",
            "2026-11-15 18:30",
            "0099-03-01 05:30",
            "+12345-01-01 18:00",
        ],
    ),
    (
        "Asia/Kolkata",
        "VV",
        [
            "Asia/Kolkata",
            "Asia/Kolkata",
            "Asia/Kolkata",
            "Asia/Kolkata",
            "Asia/Kolkata",
        ],
    ),
    ("Asia/Kolkata", "z", ["IST", "IST", "IST", "IST", "IST"]),
    (
        "Asia/Kolkata",
        "zzzz",
        [
            "India Standard Time",
            "India Standard Time",
            "India Standard Time",
            "India Standard Time",
            "India Standard Time",
        ],
    ),
    (
        "Asia/Kolkata",
        "O",
        ["GMT+5:30", "GMT+5:30", "GMT+5:30", "GMT+5:53:28", "GMT+5:30"],
    ),
    (
        "Asia/Kolkata",
        "OOOO",
        ["GMT+05:30", "GMT+05:30", "GMT+05:30", "GMT+05:53:28", "GMT+05:30"],
    ),
    ("Asia/Kolkata", "X", ["+0530", "+0530", "+0530", "+0553", "+0530"]),
    (
        "Asia/Kolkata",
        "XX",
        ["+0530", "+0530", "+0530", "+0553", "+0530"],
    ),
    (
        "Asia/Kolkata",
        "XXX",
        ["+05:30", "+05:30", "+05:30", "+05:53", "+05:30"],
    ),
    (
        "Asia/Kolkata",
        "XXXX",
        ["+0530", "+0530", "+0530", "+055328", "+0530"],
    ),
    (
        "Asia/Kolkata",
        "XXXXX",
        ["+05:30", "+05:30", "+05:30", "+05:53:28", "+05:30"],
    ),
    ("Asia/Kolkata", "x", ["+0530", "+0530", "+0530", "+0553", "+0530"]),
    (
        "Asia/Kolkata",
        "xxxx",
        ["+0530", "+0530", "+0530", "+055328", "+0530"],
    ),
    ("Asia/Kolkata", "Z", ["+0530", "+0530", "+0530", "+0553", "+0530"]),
    (
        "Asia/Kolkata",
        "ZZZZ",
        ["GMT+05:30", "GMT+05:30", "GMT+05:30", "GMT+05:53:28", "GMT+05:30"],
    ),
    (
        "Asia/Kolkata",
        "ZZZZZ",
        ["+05:30", "+05:30", "+05:30", "+05:53:28", "+05:30"],
    ),
    (
        "Asia/Kolkata",
        "yyyy-MM-dd HH:mm",
        [
            "2026-01-02 08:34",
            "1969-07-21 01:47",
            "2026-11-15 18:30",
            "0099-03-01 05:53",
            "+12345-01-01 18:00",
        ],
    ),
];

/// What Spark 4.3.0 refuses to format by.
const REFUSED: &[&str] = &[
    "yyyyyyy",
    "MMMMM",
    "ddd",
    "DDDD",
    "EEEEE",
    "FF",
    "aa",
    "hhh",
    "SSSSSSSSSS",
    "n",
    "A",
    "V",
    "VVV",
    "zzzzz",
    "OO",
    "XXXXXX",
    "GGGGG",
    "Y",
    "w",
    "W",
    "u",
    "e",
    "c",
    "B",
    "p",
    "b",
    "i",
    "j",
    "]",
    "{",
    "#",
    "'abc",
    "U",
    "r",
    "C",
    "I",
    "J",
    "l",
    "o",
    "P",
    "R",
    "t",
    "T",
    "f",
    "N",
];

/// What Spark 4.3.0's `try_to_timestamp` reads: pattern, text, microseconds since the epoch.
const PARSED: &[(&str, &str, Option<i64>)] = &[
    ("yyyy-MM-dd", "2026-01-02", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd", "2026-1-2", None),
    ("yyyy-MM-dd", "2026-02-30", None),
    ("yyyy-MM-dd", "26-01-02", None),
    ("yyyy-MM-dd", "12026-01-02", None),
    ("yyyy-MM-dd", "+12026-01-02", Some(317_336_832_000_000_000)),
    ("yyyy-MM-dd", "-2026-01-02", Some(-126_101_491_200_000_000)),
    ("yyyy-MM-dd", "2026-01-02 ", None),
    ("yyyy-MM-dd", " 2026-01-02", None),
    ("yyyy-MM-dd", "2026-01-02x", None),
    ("yyyy-MM-dd", "0000-01-01", Some(-62_167_219_200_000_000)),
    ("y-M-d", "2026-1-2", Some(1_767_312_000_000_000)),
    ("y-M-d", "2026-01-02", Some(1_767_312_000_000_000)),
    ("y-M-d", "2026-012-02", Some(1_796_169_600_000_000)),
    ("y-M-d", "26-1-2", Some(-61_346_592_000_000_000)),
    ("y-M-d", "2026-13-1", None),
    ("yy-M-d", "26-1-2", Some(1_767_312_000_000_000)),
    ("yy-M-d", "99-1-2", Some(4_070_995_200_000_000)),
    ("yy-M-d", "2026-1-2", None),
    ("yyyy", "2026", Some(1_767_225_600_000_000)),
    ("yyyy", "26", None),
    ("yyyy", "20260", None),
    ("yyyyMMdd", "20260102", Some(1_767_312_000_000_000)),
    ("yyyyMMdd", "2026012", None),
    ("yyyyMMdd", "120260102", None),
    ("yyyyMMddHHmmss", "20260102030405", Some(1_767_323_045_000_000)),
    ("yMMdd", "20260102", Some(1_767_312_000_000_000)),
    ("dd/MMM/yyyy", "02/Jan/2026", Some(1_767_312_000_000_000)),
    ("dd/MMM/yyyy", "02/jan/2026", Some(1_767_312_000_000_000)),
    ("dd/MMM/yyyy", "02/JAN/2026", Some(1_767_312_000_000_000)),
    ("dd/MMM/yyyy", "02/January/2026", None),
    ("dd/MMM/yyyy", "02/Sept/2026", None),
    ("dd/MMM/yyyy", "02/Sep/2026", Some(1_788_307_200_000_000)),
    ("d MMMM yyyy", "2 January 2026", Some(1_767_312_000_000_000)),
    ("d MMMM yyyy", "2 may 2026", Some(1_777_680_000_000_000)),
    (
        "yyyy-MM-dd HH:mm:ss",
        "2026-01-02 03:04:05",
        Some(1_767_323_045_000_000),
    ),
    ("yyyy-MM-dd HH:mm:ss", "2026-01-02 24:00:00", None),
    ("yyyy-MM-dd HH:mm:ss", "2026-01-02 3:04:05", None),
    ("yyyy-MM-dd HH:mm:ss", "2026-01-02 23:59:60", None),
    (
        "yyyy-MM-dd HH:mm:ss.SSS",
        "2026-01-02 03:04:05.1",
        Some(1_767_323_045_100_000),
    ),
    (
        "yyyy-MM-dd HH:mm:ss.SSS",
        "2026-01-02 03:04:05.123",
        Some(1_767_323_045_123_000),
    ),
    ("yyyy-MM-dd HH:mm:ss.SSS", "2026-01-02 03:04:05.1234", None),
    ("yyyy-MM-dd HH:mm:ss.SSS", "2026-01-02 03:04:05.", None),
    (
        "yyyy-MM-dd HH:mm:ss.SSSSSSSSS",
        "2026-01-02 03:04:05.123456789",
        Some(1_767_323_045_123_456),
    ),
    (
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]",
        "2026-01-02T03:04:05",
        Some(1_767_323_045_000_000),
    ),
    (
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]",
        "2026-01-02T03:04:05.5",
        Some(1_767_323_045_500_000),
    ),
    (
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]",
        "2026-01-02T03:04:05.5Z",
        Some(1_767_323_045_500_000),
    ),
    (
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]",
        "2026-01-02T03:04:05+01:00",
        Some(1_767_319_445_000_000),
    ),
    (
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]",
        "2026-01-02T03:04:05+0100",
        None,
    ),
    (
        "yyyy-MM-dd hh:mm a",
        "2026-01-02 03:04 PM",
        Some(1_767_366_240_000_000),
    ),
    (
        "yyyy-MM-dd hh:mm a",
        "2026-01-02 03:04 pm",
        Some(1_767_366_240_000_000),
    ),
    (
        "yyyy-MM-dd hh:mm a",
        "2026-01-02 12:04 AM",
        Some(1_767_312_240_000_000),
    ),
    ("yyyy-MM-dd hh:mm a", "2026-01-02 13:04 PM", None),
    ("yyyy-MM-dd hh:mm a", "2026-01-02 00:04 AM", None),
    (
        "yyyy-MM-dd hh:mm",
        "2026-01-02 03:04",
        Some(1_767_323_040_000_000),
    ),
    (
        "yyyy-MM-dd hh:mm",
        "2026-01-02 12:04",
        Some(1_767_312_240_000_000),
    ),
    (
        "yyyy-MM-dd KK:mm a",
        "2026-01-02 00:04 PM",
        Some(1_767_355_440_000_000),
    ),
    (
        "yyyy-MM-dd kk:mm",
        "2026-01-02 24:04",
        Some(1_767_312_240_000_000),
    ),
    ("yyyy-MM-dd kk:mm", "2026-01-02 00:04", None),
    ("yyyy-MM-dd a", "2026-01-02 PM", Some(1_767_355_200_000_000)),
    ("HH:mm", "03:04", Some(11_040_000_000)),
    ("mm:ss", "03:04", Some(184_000_000)),
    ("yyyy-MM", "2026-03", Some(1_772_323_200_000_000)),
    ("MM-dd", "03-04", Some(5_356_800_000_000)),
    ("MM-dd", "02-29", None),
    ("dd", "31", Some(2_592_000_000_000)),
    ("yyyy DDD", "2026 060", Some(1_772_323_200_000_000)),
    ("yyyy DDD", "2026 60", None),
    ("yyyy DDD", "2026 366", None),
    ("yyyy DDD", "2024 366", Some(1_735_603_200_000_000)),
    ("yyyy D", "2026 60", Some(1_772_323_200_000_000)),
    ("yyyy D", "2026 060", Some(1_772_323_200_000_000)),
    ("yyyy DD", "2026 60", Some(1_772_323_200_000_000)),
    ("yyyy DD", "2026 5", None),
    ("yyyy DD", "2026 123", Some(1_777_766_400_000_000)),
    ("yyyy-MM-dd D", "2026-01-02 2", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd D", "2026-01-02 3", None),
    (
        "yyyy-MM-dd VV",
        "2026-01-02 Europe/Paris",
        Some(1_767_308_400_000_000),
    ),
    ("yyyy-MM-dd VV", "2026-01-02 Z", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd VV", "2026-01-02 +01:00", Some(1_767_308_400_000_000)),
    (
        "yyyy-MM-dd VV",
        "2026-01-02 europe/paris",
        Some(1_767_308_400_000_000),
    ),
    ("yyyy-MM-dd VV", "2026-01-02 UTC", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd VV", "2026-01-02 Nope/X", None),
    ("yyyy-MM-dd z", "2026-01-02 PST", Some(1_767_340_800_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 CET", Some(1_767_308_400_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 UTC", Some(1_767_312_000_000_000)),
    (
        "yyyy-MM-dd z",
        "2026-01-02 Europe/Paris",
        Some(1_767_308_400_000_000),
    ),
    ("yyyy-MM-dd z", "2026-01-02 GMT", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 PDT", Some(1_767_340_800_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 EST", Some(1_767_330_000_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 IST", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 +01:00", Some(1_767_308_400_000_000)),
    ("yyyy-MM-dd z", "2026-01-02 GMT+1", None),
    (
        "yyyy-MM-dd zzzz",
        "2026-01-02 Pacific Standard Time",
        Some(1_767_340_800_000_000),
    ),
    ("yyyy-MM-dd O", "2026-01-02 GMT+1", Some(1_767_308_400_000_000)),
    (
        "yyyy-MM-dd O",
        "2026-01-02 GMT+01:00",
        Some(1_767_308_400_000_000),
    ),
    ("yyyy-MM-dd O", "2026-01-02 GMT", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd O", "2026-01-02 GMT+1:30", Some(1_767_306_600_000_000)),
    (
        "yyyy-MM-dd OOOO",
        "2026-01-02 GMT+01:00",
        Some(1_767_308_400_000_000),
    ),
    ("yyyy-MM-dd OOOO", "2026-01-02 GMT", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd X", "2026-01-02 Z", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd X", "2026-01-02 +01", Some(1_767_308_400_000_000)),
    ("yyyy-MM-dd X", "2026-01-02 +0130", Some(1_767_306_600_000_000)),
    ("yyyy-MM-dd X", "2026-01-02 +01:30", None),
    ("yyyy-MM-dd X", "2026-01-02 z", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd XX", "2026-01-02 +0130", Some(1_767_306_600_000_000)),
    ("yyyy-MM-dd XX", "2026-01-02 +01", None),
    ("yyyy-MM-dd XX", "2026-01-02 Z", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd XXX", "2026-01-02 +01:30", Some(1_767_306_600_000_000)),
    ("yyyy-MM-dd XXX", "2026-01-02 +0130", None),
    ("yyyy-MM-dd XXX", "2026-01-02 +1:30", None),
    ("yyyy-MM-dd x", "2026-01-02 Z", None),
    ("yyyy-MM-dd x", "2026-01-02 +00", Some(1_767_312_000_000_000)),
    ("yyyy-MM-dd Z", "2026-01-02 +0130", Some(1_767_306_600_000_000)),
    ("yyyy-MM-dd Z", "2026-01-02 +01:30", None),
    ("yyyy-MM-dd Z", "2026-01-02 Z", None),
    ("yyyy-MM-dd Z", "2026-01-02 +0000", Some(1_767_312_000_000_000)),
    (
        "yyyy-MM-dd ZZZZ",
        "2026-01-02 GMT+01:30",
        Some(1_767_306_600_000_000),
    ),
    ("yyyy-MM-dd ZZZZ", "2026-01-02 GMT+1:30", None),
    (
        "yyyy-MM-dd ZZZZZ",
        "2026-01-02 +01:30",
        Some(1_767_306_600_000_000),
    ),
    ("yyyy-MM-dd ZZZZZ", "2026-01-02 Z", Some(1_767_312_000_000_000)),
    ("G yyyy", "AD 2026", Some(1_767_225_600_000_000)),
    ("G yyyy", "BC 0001", Some(-62_167_219_200_000_000)),
    ("yyyy G", "2026 AD", Some(1_767_225_600_000_000)),
    ("yyyy-MM-dd'x''y'", "2026-01-02x'y", Some(1_767_312_000_000_000)),
    ("yyyy[-MM[-dd]]", "2026", Some(1_767_225_600_000_000)),
    ("yyyy[-MM[-dd]]", "2026-03", Some(1_772_323_200_000_000)),
    ("yyyy[-MM[-dd]]", "2026-03-04", Some(1_772_582_400_000_000)),
    ("yyyy[-MM[-dd]]", "2026-", None),
    ("yyyy-MM-dd HH", "2026-01-02 03", Some(1_767_322_800_000_000)),
    ("SSS", "123", Some(123_000)),
    (
        "yyyy-MM-dd HH:mm:ss SSSS",
        "2026-01-02 03:04:05 12",
        Some(1_767_323_045_120_000),
    ),
    ("HHmmssSSS", "030405123", Some(11_045_123_000)),
    ("HHmmssSSS", "0304051", Some(11_045_100_000)),
    ("MM/dd/yy", "01/02/69", Some(3_124_310_400_000_000)),
    ("MM/dd/yy", "01/02/00", Some(946_771_200_000_000)),
    ("L", "3", Some(5_097_600_000_000)),
    ("LLL yyyy", "Mar 2026", Some(1_772_323_200_000_000)),
    ("yyyy-MM-dd h", "2026-01-02 3", Some(1_767_322_800_000_000)),
    ("yyyy'T'MM", "2026t03", Some(1_772_323_200_000_000)),
    ("yyyyMM", "202603", Some(1_772_323_200_000_000)),
    ("yyMM", "2603", Some(1_772_323_200_000_000)),
    ("yyyyyy", "002026", Some(1_767_225_600_000_000)),
    ("MMyyyy", "032026", Some(1_772_323_200_000_000)),
    ("Hmm", "304", Some(11_040_000_000)),
    ("Hmm", "1304", Some(47_040_000_000)),
    ("yyyy M", "2026 March", None),
];

/// What Spark 4.3.0 refuses to parse by.
const REFUSED_FOR_PARSING: &[&str] = &["E yyyy", "Q yyyy", "yyyy-MM-dd F"];

#[test]
fn formats_as_spark() {
    for (zone, pattern, expected) in FORMATTED {
        let zone = TimeZone::try_new(zone).expect("a zone");
        let compiled = DateTimePattern::try_new(pattern, PatternUse::Format).expect(pattern);
        let actual = MOMENTS.map(|micros| compiled.format_micros(micros, &zone));
        assert_eq!(
            actual.each_ref().map(String::as_str),
            *expected,
            "{pattern} in {}",
            zone.id()
        );
    }
}

#[test]
fn parses_as_spark() {
    for (pattern, text, expected) in PARSED {
        let compiled = DateTimePattern::try_new(pattern, PatternUse::Parse).expect(pattern);
        assert_eq!(
            compiled.parse_micros(text, ZoneRules::Fixed(0)),
            *expected,
            "{pattern}: {text}"
        );
    }
}

#[test]
fn refuses_as_spark() {
    for (patterns, usage) in [
        (REFUSED, PatternUse::Format),
        (REFUSED, PatternUse::Parse),
        (REFUSED_FOR_PARSING, PatternUse::Parse),
    ] {
        for pattern in patterns {
            let error = DateTimePattern::try_new(pattern, usage).expect_err(pattern);
            assert!(
                error
                    .message()
                    .starts_with(&format!("\"{pattern}\" is not a datetime pattern: ")),
                "{error}"
            );
            assert!(error.hint_text().is_some(), "{pattern}");
        }
    }
}

#[test]
fn what_is_formatted_is_parsed_again() {
    for pattern in [
        "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXXXX",
        "yyyyMMddHHmmss.SSSSSS Z",
        "G y D k:m:s SSSSSS VV",
        "d MMMM yyyy h:mm:ss.SSSSSS a z",
    ] {
        let print = DateTimePattern::try_new(pattern, PatternUse::Format).expect(pattern);
        let parse = DateTimePattern::try_new(pattern, PatternUse::Parse).expect(pattern);
        for zone in ["UTC", "Europe/Paris", "America/New_York"] {
            let zone = TimeZone::try_new(zone).expect("a zone");
            for micros in &MOMENTS[..3] {
                let text = print.format_micros(*micros, &zone);
                assert_eq!(
                    parse.parse_micros(&text, ZoneRules::Fixed(0)),
                    Some(*micros),
                    "{pattern}: {text}"
                );
            }
        }
    }
}

#[test]
fn dates_and_timestamps_without_a_zone() {
    let compiled = |pattern| DateTimePattern::try_new(pattern, PatternUse::Parse).expect("a pattern");
    assert_eq!(compiled("dd/MM/yyyy").parse_days("01/02/2026"), Some(20_485));
    assert_eq!(compiled("dd/MM/yyyy").parse_days("31/02/2026"), None);
    assert_eq!(compiled("dd/MM/yyyy HH").parse_days("01/02/2026 25"), None);
    assert_eq!(
        compiled("yyyy-MM-dd[XXX]").parse_micros_ntz("1970-01-02", false),
        Some(86_400_000_000)
    );
    assert_eq!(
        compiled("yyyy-MM-dd[XXX]").parse_micros_ntz("1970-01-02+01:00", false),
        None
    );
    assert_eq!(
        compiled("yyyy-MM-dd[XXX]").parse_micros_ntz("1970-01-02+01:00", true),
        Some(86_400_000_000)
    );
}

#[test]
fn the_error_says_which_letter() {
    let message = |pattern, usage| {
        DateTimePattern::try_new(pattern, usage)
            .expect_err("refused")
            .message()
            .to_owned()
    };
    assert_eq!(
        message("yyyy-ww", PatternUse::Format),
        "\"yyyy-ww\" is not a datetime pattern: week-based letters such as 'w' are not supported"
    );
    assert_eq!(
        message("E yyyy", PatternUse::Parse),
        "\"E yyyy\" is not a datetime pattern: letter 'E' can be formatted, not parsed"
    );
    assert_eq!(
        message("ddd", PatternUse::Parse),
        "\"ddd\" is not a datetime pattern: 'ddd' has too many letters"
    );
}
