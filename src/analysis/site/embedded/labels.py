"""The words the renderer itself prints, in English and Chinese, as Quarto has them."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = {
    "fig": "Figure",
    "tbl": "Table",
    "eq": "Equation",
    "sec": "Section",
    "note": "Note",
    "tip": "Tip",
    "warning": "Warning",
    "important": "Important",
    "caution": "Caution",
    "references": "References",
    "footnotes": "Footnotes",
    "author": "Author",
    "authors": "Authors",
    "published": "Published",
    "toc": "On this page",
    "skip": "Skip to content",
    "search": "Search",
    "search_site": "Search this site",
    "close": "Close",
    "dark": "Dark",
    "light": "Light",
    "menu": "Menu",
    "main": "Main",
    "pages": "Pages",
    "pager": "Previous and next page",
    "crumbs": "Where this page is",
    "anchor": "Link to this section",
    "results": "Results:",
    "no_index": "The search index did not load.",
    "landing": "首页（本页没有中文版）",
}
CHINESE = {
    "fig": "图",
    "tbl": "表",
    "eq": "方程式",
    "sec": "章节",
    "note": "注释",
    "tip": "提示",
    "warning": "警告",
    "important": "重要",
    "caution": "小心",
    "references": "参考文献",
    "footnotes": "脚注",
    "author": "作者",
    "authors": "作者",
    "published": "发布日期",
    "toc": "该页面内容",
    "skip": "跳到正文",
    "search": "搜索",
    "search_site": "搜索本站",
    "close": "关闭",
    "dark": "深色",
    "light": "浅色",
    "menu": "菜单",
    "main": "主导航",
    "pages": "页面",
    "pager": "上一页和下一页",
    "crumbs": "当前位置",
    "anchor": "本节链接",
    "results": "结果：",
    "no_index": "搜索索引未能载入。",
    "landing": "Front page (this page has no English counterpart)",
}


def labels(lang: str) -> Mapping[str, str]:
    """Return the words for a language; English where there is no translation.

    Examples
    --------
    >>> labels("zh-CN")["fig"], labels("de")["fig"]
    ('图', 'Figure')
    """
    return CHINESE if lang.lower().startswith("zh") else ENGLISH
